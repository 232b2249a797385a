use super::*;
use axum::body::to_bytes;

async fn fetch(method: Method, path: &str, tag: Option<&str>) -> Response {
    let mut headers = HeaderMap::new();
    if let Some(tag) = tag {
        headers.insert(header::IF_NONE_MATCH, tag.parse().unwrap());
    }
    serve(method, path.parse().unwrap(), headers).await
}

#[tokio::test]
async fn the_root_is_a_page_and_a_known_page_is_not_sent_again() {
    let page = fetch(Method::GET, "/?room=lobby", None).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
    let tag = page.headers()[header::ETAG].to_str().unwrap().to_owned();
    assert!(!to_bytes(page.into_body(), usize::MAX).await.unwrap().is_empty());
    for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
        assert_eq!(fetch(Method::GET, "/", Some(&known)).await.status(), StatusCode::NOT_MODIFIED, "{known}");
    }
    assert_eq!(fetch(Method::GET, "/", Some("\"other\"")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    for path in ["/nothing", "/../Cargo.toml", "/assets/", "//etc/passwd", "/%2e%2e/x"] {
        assert_eq!(fetch(Method::GET, path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(fetch(Method::POST, "/", None).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn the_table_can_be_searched() {
    assert!(ASSETS.is_sorted_by_key(|asset| asset.path));
    assert!(ASSETS.iter().all(|asset| !asset.bytes.is_empty() && asset.etag.starts_with('"')));
}
