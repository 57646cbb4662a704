//! What the program tells of itself, on standard error; nothing unless something is wrong
//! or somebody wants to know.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Reads a level, or levels for parts of the program.
pub fn parse(text: &str) -> Result<Targets, String> {
    text.parse()
        .map_err(|_| "expected a level such as warn or debug, or PART=LEVEL,...".into())
}

/// From now on what `targets` asks for is told.
pub fn begin(targets: &Targets) {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false);
    // Who tells already goes on.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(targets.clone())
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        for text in ["off", "warn", "debug", "geiko=trace", "warn,winit=debug"] {
            assert!(parse(text).is_ok(), "{text}");
        }
        assert!(parse("loud=very").is_err());
    }
}
