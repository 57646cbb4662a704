//! Sessions in browsers: a real one, and programs that only pretend.

mod browser;
mod chromium;
mod hostile;
mod server;
mod speed;
