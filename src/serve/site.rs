//! The pages, and what they can ask of the server.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use super::guard::Pass;
use super::viewer;
use super::{House, Problem};

type TheHouse = State<Arc<House>>;

/// What all answers say to browsers: nothing from elsewhere belongs to these pages, and
/// they belong to no other.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
];

const HTML: &str = "text/html; charset=utf-8";
/// A page with the head that all have.
macro_rules! page {
    ($name:literal) => {
        concat!(include_str!("page/head.html"), include_str!($name))
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Everything that can be asked.
pub fn router(house: Arc<House>) -> Router {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(CONTENT_TYPE, kind)], text) })
    };
    Router::new()
        .route("/", file(HTML, page!("page/start.html")))
        .route("/start.js", file(SCRIPT, include_str!("page/start.js")))
        .route("/screen.js", file(SCRIPT, include_str!("page/screen.js")))
        .route("/style.css", file(STYLE, include_str!("page/style.css")))
        .route("/session/{name}", file(HTML, page!("page/screen.html")))
        .route("/session/{name}/screen", get(screen))
        .route("/list", get(list))
        .route("/open/{image}", post(open))
        .route("/resume/{name}", post(resume))
        .route("/quit/{name}", post(quit))
        .layer(from_fn_with_state(Arc::clone(&house), guard))
        .with_state(house)
}

/// Refuses what is not allowed.
async fn guard(State(house): TheHouse, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match house.guard().check(&parts) {
        Ok(Pass::Known) => next.run(Request::from_parts(parts, body)).await,
        Ok(Pass::New) => {
            let headers = [
                (SET_COOKIE, house.guard().cookie()),
                (LOCATION, parts.uri.path().into()),
            ];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        Err(refusal) => {
            tracing::info!(%refusal, "refused");
            (StatusCode::FORBIDDEN, format!("{refusal}\n")).into_response()
        }
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        // Who has been answered makes room.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Session(_) => StatusCode::CONFLICT,
            Self::Start(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, format!("{self}\n")).into_response()
    }
}

async fn list(State(house): TheHouse) -> Response {
    (
        [(CONTENT_TYPE, "application/json")],
        house.list().to_string(),
    )
        .into_response()
}

fn opened(name: &str) -> Response {
    (
        [(CONTENT_TYPE, "application/json")],
        json!({ "session": name }).to_string(),
    )
        .into_response()
}

async fn open(State(house): TheHouse, Path(image): Path<String>) -> Result<Response, Problem> {
    house.open(&image).map(|name| opened(&name))
}

async fn resume(State(house): TheHouse, Path(name): Path<String>) -> Result<Response, Problem> {
    house.resume(&name).map(|name| opened(&name))
}

async fn quit(State(house): TheHouse, Path(name): Path<String>) -> Result<Response, Problem> {
    house
        .quit(&name)
        .map(|()| StatusCode::NO_CONTENT.into_response())
}

/// A tab that wants to look at a session.
async fn screen(
    State(house): TheHouse,
    Path(name): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let live = house.live(&name).ok_or(Problem::Unknown)?;
    let seat = live.sit_down().ok_or(Problem::TooMany)?;
    let manner = house.options.manner;
    Ok(upgrade
        .max_message_size(viewer::LONGEST_MESSAGE)
        .max_frame_size(viewer::LONGEST_MESSAGE)
        .write_buffer_size(0)
        .on_upgrade(move |socket| viewer::show(socket, seat, manner)))
}
