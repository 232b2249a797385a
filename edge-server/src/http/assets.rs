//! The demo page, compiled into the binary by build.rs from demo/dist (or a page that says how to build it).

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// One file of the demo.
struct Asset {
    /// From the root, without the leading slash.
    path: &'static str,
    /// MIME type.
    mime: &'static str,
    /// Strong entity tag (RFC 9110 §8.8.3), a hash of the contents.
    etag: &'static str,
    /// Contents.
    bytes: &'static [u8],
}

// `ASSETS`, sorted by path.
include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Files below this folder have the hash of their contents in their names (Vite puts it there), so they never change.
const HASHED: &str = "assets/";

/// Serves a file; `/` is index.html. What isn't there is 404: the page has no routes of its own.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    let found = ASSETS.binary_search_by_key(&path, |asset| asset.path).ok().and_then(|index| ASSETS.get(index));
    let Some(asset) = found else {
        return (StatusCode::NOT_FOUND, "nothing here; the demo is at /, signalling at /v1/signal\n").into_response();
    };
    let cache = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let about = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.mime)),
        (header::ETAG, HeaderValue::from_static(asset.etag)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag || tag.trim() == "*")) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, asset.bytes).into_response()
}

#[cfg(test)]
mod tests;
