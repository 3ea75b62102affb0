//! Connections: how many, how long, and the end of all.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::host::Hosts;
use super::slow::Impatient;
use super::{Preview, answer};

/// Connections at one time, and so requests: others wait in the system's queue.
const MOST_CONNECTIONS: usize = 256;

/// How long a visitor may take for the headers of a request, or be idle before it, and how
/// long an answer may make no progress.
const PATIENCE: Duration = Duration::from_secs(10);

/// The headers of a request may have so many bytes.
const HEADER_BYTES: usize = 64 * 1024;

/// How often it is looked whether a signal came.
const LOOK: Duration = Duration::from_millis(50);

/// How long requests under way may take once a signal came.
const END: Duration = Duration::from_secs(1);

/// Two threads wait for any number of visitors.
const THREADS: usize = 2;

/// Serves `preview` on `listener` until `stop` is set.
///
/// # Errors
/// When the system refuses threads or the listener, or the address of the store cannot be used.
pub fn listen(
    listener: std::net::TcpListener,
    preview: Preview,
    stop: &AtomicBool,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("serve")
        .enable_all()
        .build()?;
    let done = runtime.block_on(async {
        let hosts = Hosts::of(&preview.addr, listener.local_addr()?);
        let router = answer::router(preview, hosts).map_err(io::Error::other)?;
        listener.set_nonblocking(true)?;
        accept(TcpListener::from_std(listener)?, &router, stop).await;
        Ok(())
    });
    // What a thread still reads of a manifest is nobody's any more.
    runtime.shutdown_background();
    done
}

async fn accept(listener: TcpListener, router: &Router, stop: &AtomicBool) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEADER_BYTES);
    while !stop.load(Ordering::Relaxed) {
        // Both waits may be given up at any point without a loss.
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await.ok()?;
            Some((place, listener.accept().await))
        };
        let (place, stream) = match timeout(LOOK, next).await {
            Ok(Some((place, Ok((stream, _))))) => (place, stream),
            // Out of file descriptors, most likely: it will pass.
            Ok(_) => {
                sleep(LOOK).await;
                continue;
            }
            Err(_) => continue,
        };
        // Answers are written in one piece, so there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let stream = TokioIo::new(Impatient::new(stream, PATIENCE));
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(stream, service));
        tokio::spawn(async move {
            // Visitors come and go; how one went is no news.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = timeout(END, graceful.shutdown()).await;
}
