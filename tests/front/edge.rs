//! What is between the fronts and the readers: how long caches may keep an answer.

mod cache_times;
