//! What is made from many articles: feeds and the sitemap.

pub mod feed;
pub mod sitemap;
