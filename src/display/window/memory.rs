//! Where windows were: for each size of the screen the last one's place.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::folders;

/// Where a window was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Pixels inside.
    pub size: (u32, u32),
    /// Its upper left corner, where the desktop tells it.
    pub position: Option<(i32, i32)>,
}

fn file() -> Option<PathBuf> {
    Some(folders::state()?.join("windows.json"))
}

/// The place of the last window that showed a screen of that size.
pub fn recall(screen: (u16, u16)) -> Option<Geometry> {
    let text = std::fs::read(file()?).ok()?;
    read(&serde_json::from_slice(&text).ok()?, screen)
}

/// Remembers the place of a window.
pub fn remember(screen: (u16, u16), geometry: Geometry) {
    let Some(file) = file() else {
        return;
    };
    let known = std::fs::read(&file).ok();
    let known = known.and_then(|text| serde_json::from_slice(&text).ok());
    let text = with(known.unwrap_or(Value::Null), screen, geometry).to_string();
    // A place that cannot be kept is chosen again.
    let _ = folders::write(&file, text.as_bytes());
}

fn key((width, height): (u16, u16)) -> String {
    format!("{width}x{height}")
}

fn read(known: &Value, screen: (u16, u16)) -> Option<Geometry> {
    let geometry = &known[key(screen)];
    let size = |name| u32::try_from(geometry[name].as_u64()?).ok();
    let place = |name| i32::try_from(geometry[name].as_i64()?).ok();
    Some(Geometry {
        size: (size("width")?.max(1), size("height")?.max(1)),
        position: place("x").zip(place("y")),
    })
}

fn with(mut known: Value, screen: (u16, u16), geometry: Geometry) -> Value {
    if !known.is_object() {
        known = json!({});
    }
    known[key(screen)] = json!({
        "width": geometry.size.0,
        "height": geometry.size.1,
        "x": geometry.position.map(|(x, _)| x),
        "y": geometry.position.map(|(_, y)| y),
    });
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_several_screens_are_remembered() {
        let geometry = |width, position| Geometry {
            size: (width, 768),
            position,
        };
        let (small, large) = ((1024, 768), (1600, 1200));
        let mut known = with(Value::Null, small, geometry(1024, Some((-5, 7))));
        known = with(known, large, geometry(1600, None));
        known = with(known, small, geometry(2048, Some((1, 2))));
        assert_eq!(read(&known, small), Some(geometry(2048, Some((1, 2)))));
        assert_eq!(read(&known, large), Some(geometry(1600, None)));
        assert_eq!(read(&known, (640, 480)), None);
        assert_eq!(read(&json!({"640x480": 7}), (640, 480)), None);
    }
}
