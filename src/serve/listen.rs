//! Connections: how many, how long, and the end of all.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::middleware::map_response_with_state;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;

use super::host::Hosts;
use super::{Preview, answer};

/// Connections at one time, and so requests: others wait in the system's queue.
const MOST_CONNECTIONS: u32 = 256;

/// With fewer places left than this, whoever was answered gives up theirs.
const CROWDED: usize = 32;

/// How long a connection may last.
const LIMITS: Limits = Limits {
    patience: Duration::from_secs(10),
    lifetime: Duration::from_secs(60),
};

/// The request line and the headers of a request may have so many bytes.
const HEAD_BYTES: usize = 64 * 1024;

/// … and so many headers.
const MOST_HEADERS: usize = 100;

/// How often it is looked whether a signal came.
const LOOK: Duration = Duration::from_millis(50);

/// How long requests under way may take once a signal came.
const END: Duration = Duration::from_secs(1);

/// Two threads wait for any number of visitors.
const THREADS: usize = 2;

/// How long one connection may last.
#[derive(Clone, Copy)]
struct Limits {
    /// How long a visitor may take for the headers of a request, or be idle before it, and how
    /// long an answer may make no progress.
    patience: Duration,
    /// How long it takes requests. What then is still under way may take `patience` more:
    /// whoever reads slowly, or asks again and again, makes room for others.
    lifetime: Duration,
}

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
        accept(TcpListener::from_std(listener)?, router, stop).await;
        Ok(())
    });
    // What a thread still reads of a manifest is nobody's any more.
    runtime.shutdown_background();
    done
}

async fn accept(listener: TcpListener, router: Router, stop: &AtomicBool) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS as usize));
    let router = router.layer(map_response_with_state(Arc::clone(&room), make_room));
    let (ending, _) = watch::channel(false);
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
        let talk = converse(stream, router.clone(), LIMITS, ending.subscribe());
        tokio::spawn(async move {
            talk.await;
            drop(place);
        });
    }
    drop(listener);
    ending.send_replace(true);
    // All places are free once all connections are closed.
    let _ = timeout(END, room.acquire_many(MOST_CONNECTIONS)).await;
}

/// One connection, until its end.
async fn converse(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    mut ending: watch::Receiver<bool>,
) {
    let stream = TokioIo::new(impatient(stream, limits.patience));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.patience)
        .max_buf_size(HEAD_BYTES)
        .max_header_size(HEAD_BYTES)
        .max_headers(MOST_HEADERS)
        .serve_connection(stream, bodiless(router));
    let mut connection = std::pin::pin!(connection);
    // Visitors come and go; how one went is no news.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep(limits.lifetime) => {}
        _ = ending.wait_for(|is_ending| *is_ending) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(limits.patience, connection).await;
}

/// The answers of `router`. Of those that never have a body none tells its length, also to HEAD, where axum would
/// say 0: in a 304 it would be that of the page (RFC 9110, 8.6), in a 204 there is none.
fn bodiless(
    router: Router,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send> {
    let inner = TowerToHyperService::new(router);
    service_fn(move |request| {
        let answer = inner.call(request);
        async move {
            let mut response = answer.await?;
            if matches!(
                response.status(),
                StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT
            ) {
                response.headers_mut().remove(header::CONTENT_LENGTH);
            }
            Ok(response)
        }
    })
}

/// Fails a write that makes no progress for `limit`: the visitor stopped reading. (How long a request
/// may take to come is for hyper to limit.)
fn impatient(stream: TcpStream, limit: Duration) -> Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limit));
    Box::pin(stream)
}

/// Where it is crowded, a connection ends with its answer.
async fn make_room(
    State(room): State<Arc<Semaphore>>,
    mut response: Response<Body>,
) -> Response<Body> {
    if room.available_permits() < CROWDED {
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::{Read as _, Write as _};
    use std::time::Duration;

    use axum::Router;
    use tokio::io::AsyncWrite as _;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::watch;
    use tokio::time::timeout;

    use super::{Limits, converse, impatient};

    #[test]
    fn who_asks_for_much_and_reads_it_slowly_is_left() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            std::thread::spawn(move || {
                let mut visitor = std::net::TcpStream::connect(address).unwrap();
                let requests = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
                visitor.write_all(requests.as_bytes()).unwrap();
                let mut some = vec![0; 256 * 1024];
                // Progress, again and again, for a minute at least.
                while visitor.read(&mut some).is_ok_and(|bytes| bytes > 0) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            let (stream, _) = listener.accept().await.unwrap();
            let router = Router::new().fallback(|| async { vec![b'x'; 1 << 20] });
            let limits = Limits {
                patience: Duration::from_millis(500),
                lifetime: Duration::from_millis(500),
            };
            let (_ending, told) = watch::channel(false);
            let talk = converse(stream, router, limits, told);
            let ended = timeout(Duration::from_secs(5), talk).await;
            assert!(ended.is_ok(), "it goes on");
        });
    }

    #[test]
    fn who_takes_nothing_of_an_answer_is_left() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let _silent = TcpStream::connect(address).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = impatient(stream, Duration::from_millis(50));
            let bytes = vec![0; 1 << 20];
            // Until the buffers of both ends are full, it writes.
            let error = loop {
                let write = poll_fn(|context| stream.as_mut().poll_write(context, &bytes));
                if let Err(error) = write.await {
                    break error;
                }
            };
            assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        });
    }
}
