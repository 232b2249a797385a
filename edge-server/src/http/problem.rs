//! How HTTP says no: a status and `{"error": …}`, the same shape as in signalling.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use nearcast_protocol::{ErrorCode, ErrorInfo};
use serde_json::json;

/// A refusal.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    error: ErrorInfo,
    /// One more header, by its name in lower case.
    header: Option<(&'static str, String)>,
}

impl Problem {
    /// With the code's own idea of `retryable`.
    #[must_use]
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self::with(status, ErrorInfo::new(code, message))
    }

    /// From a refusal that signalling would send.
    #[must_use]
    pub fn with(status: StatusCode, error: ErrorInfo) -> Self {
        Self { status, error, header: None }
    }

    /// With a header that says more, such as `accept-post`; `name` in lower case.
    #[must_use]
    pub fn header(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    /// With the time after which asking again makes sense.
    #[must_use]
    pub fn retry_later(self, seconds: u64) -> Self {
        self.header("retry-after", seconds.to_string())
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "error": self.error }))).into_response();
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::try_from(value)
        {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        response
    }
}
