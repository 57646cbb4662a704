//! `geiko info`.

use std::fmt::Write as _;
use std::path::Path;

use geiko_runtime::image::{ImageFile, ImageInfo};
use geiko_runtime::layout::{Medley2, Medley3, Release};
use serde_json::{Value, json};

use super::{InfoArgs, output};
use crate::error::{Error, Status};

/// Bytes of a page.
const PAGE_BYTES: f64 = 512.0;

/// Tells what an image is and holds.
pub fn info(arguments: &InfoArgs) -> Result<Status, Error> {
    let image = ImageFile::open(&arguments.image)?;
    let size = image.memory_size(None)?;
    let info = match image.header().release {
        Release::Medley2 => ImageInfo::read(image.load::<Medley2>(size)?.view(), image.header()),
        Release::Medley3 => ImageInfo::read(image.load::<Medley3>(size)?.view(), image.header()),
    };
    if arguments.json {
        output::json(&to_json(&arguments.image, &info))?;
    } else {
        output::text(&to_text(&arguments.image, &info))?;
    }
    Ok(Status::Success)
}

fn megabytes(pages: u32) -> String {
    format!("{:.1} MB", f64::from(pages) * PAGE_BYTES / 1e6)
}

fn storage_state(state: u16) -> &'static str {
    match state {
        0 => "not decided",
        1 => "one region only",
        2 => "a second region can be used",
        3 => "arrays use the second region",
        4 => "all use the second region",
        _ => "unknown",
    }
}

fn to_text(path: &Path, info: &ImageInfo) -> String {
    let mut text = String::new();
    let unknown = || "unknown".to_owned();
    let header = &info.header;
    let storage = &info.storage;
    let stack = &info.stack;
    let counts = &info.counts;
    let conses = &info.conses;
    let arrays = &info.arrays;
    let functions = &info.functions;
    let rows = [
        ("image", path.display().to_string()),
        ("generation", header.release.name().to_owned()),
        ("herald", info.herald.clone().unwrap_or_else(unknown)),
        ("made", info.made.clone().unwrap_or_else(unknown)),
        (
            "versions",
            format!(
                "Lisp {}, wants microcode {}, emulator {}",
                header.lisp_version, header.min_microcode_version, header.min_emulator_version
            ),
        ),
        (
            "file",
            format!(
                "{} pages ({}), {} of them empty, {} twice",
                header.file_pages,
                megabytes(header.file_pages),
                info.empty_pages,
                info.duplicate_pages
            ),
        ),
        ("memory", format!("{} MB when last run", header.megabytes)),
        (
            "screen",
            info.screen
                .map_or_else(unknown, |(width, height)| format!("{width} x {height}")),
        ),
        (
            "storage",
            format!(
                "{} pages free ({}); {}",
                storage.free_pages,
                megabytes(storage.free_pages),
                storage_state(storage.state)
            ),
        ),
        (
            "stack",
            format!(
                "{} frames, {} words used, {} free",
                stack.frames, stack.used, stack.free
            ),
        ),
        (
            "symbols",
            format!("{} in {} packages", info.symbols, info.packages.len()),
        ),
        (
            "functions",
            format!(
                "{} compiled, {} closures, {} interpreted; {} code blocks",
                functions.compiled,
                functions.closures,
                functions.interpreted,
                functions.code_blocks()
            ),
        ),
        (
            "list cells",
            format!(
                "{} used, {} free on {} pages",
                conses.nil_cdr + conses.on_page_cdr + conses.stored_cdr,
                conses.free,
                conses.pages
            ),
        ),
        (
            "arrays",
            format!(
                "{} blocks in use ({} cells), {} free ({} cells)",
                arrays.blocks - arrays.free,
                arrays.cells_in_use,
                arrays.free,
                arrays.cells_free
            ),
        ),
        (
            "counts",
            format!(
                "{} entries, {} of them zero; {} of {} links used",
                counts.entries, counts.zero, counts.collision_used, counts.collision_most
            ),
        ),
    ];
    for (name, value) in rows {
        let _ = writeln!(text, "{name:<12} {value}");
    }
    let _ = writeln!(text, "\n{:>8} {:>7}  region", "page", "pages");
    for region in &info.regions {
        let _ = writeln!(
            text,
            "{:>#8x} {:>7}  {}",
            region.first_page, region.pages, region.name
        );
    }
    let _ = writeln!(text, "\n{:>8}  package", "symbols");
    for (package, symbols) in &info.packages {
        let nicknames = match package.nicknames.as_slice() {
            [] => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        let _ = writeln!(text, "{symbols:>8}  {}{nicknames}", package.name);
    }
    let _ = writeln!(
        text,
        "\n{:>4} {:>6} {:>8} {:>8} {:>10}  type",
        "no.", "words", "used", "free", "made"
    );
    for info in &info.types {
        let _ = writeln!(
            text,
            "{:>4} {:>6} {:>8} {:>8} {:>10}  {}",
            info.number, info.words, info.used, info.free, info.made, info.name
        );
    }
    text
}

fn to_json(path: &Path, info: &ImageInfo) -> Value {
    let header = &info.header;
    let storage = &info.storage;
    let regions: Vec<_> = info
        .regions
        .iter()
        .map(|region| {
            json!({
                "name": region.name,
                "first_page": region.first_page,
                "pages": region.pages,
            })
        })
        .collect();
    let packages: Vec<_> = info
        .packages
        .iter()
        .map(|(package, symbols)| {
            json!({
                "number": package.number,
                "name": package.name,
                "nicknames": package.nicknames,
                "symbols": symbols,
            })
        })
        .collect();
    let types: Vec<_> = info
        .types
        .iter()
        .map(|info| {
            json!({
                "number": info.number,
                "name": info.name,
                "words": info.words,
                "supertype": info.supertype,
                "units": info.units,
                "used": info.used,
                "free": info.free,
                "made": info.made,
            })
        })
        .collect();
    json!({
        "image": path.to_string_lossy(),
        "generation": header.release.name(),
        "herald": info.herald,
        "made": info.made,
        "versions": {
            "lisp": header.lisp_version,
            "min_microcode": header.min_microcode_version,
            "min_emulator": header.min_emulator_version,
            "emulator_day": header.emulator_day,
        },
        "file": {
            "pages": header.file_pages,
            "empty_pages": info.empty_pages,
            "duplicate_pages": info.duplicate_pages,
            "trailing_bytes": header.trailing_bytes,
        },
        "memory_megabytes": header.megabytes,
        "screen": info.screen.map(|(width, height)| json!({"width": width, "height": height})),
        "storage": {
            "state": storage.state,
            "meaning": storage_state(storage.state),
            "free_pages": storage.free_pages,
            "next_array_page": storage.next_array_page,
            "next_object_page": storage.next_object_page,
            "least_object_page": storage.least_object_page,
            "second_array_page": storage.second_array_page,
            "second_object_page": storage.second_object_page,
            "last_page": storage.last_page,
        },
        "stack": {
            "base": info.stack.base.0,
            "end": info.stack.end.0,
            "frames": info.stack.frames,
            "used_words": info.stack.used,
            "free_words": info.stack.free,
        },
        "symbols": info.symbols,
        "functions": {
            "compiled": info.functions.compiled,
            "closures": info.functions.closures,
            "interpreted": info.functions.interpreted,
            "code_blocks": info.functions.code_blocks(),
        },
        "list_cells": {
            "used": info.conses.nil_cdr + info.conses.on_page_cdr + info.conses.stored_cdr,
            "free": info.conses.free,
            "pages": info.conses.pages,
        },
        "array_space": {
            "blocks": info.arrays.blocks,
            "cells_in_use": info.arrays.cells_in_use,
            "free_blocks": info.arrays.free,
            "cells_free": info.arrays.cells_free,
        },
        "reference_counts": {
            "entries": info.counts.entries,
            "zero": info.counts.zero,
            "large": info.counts.large,
            "slots": info.counts.slots,
            "chains": info.counts.chains,
            "links": info.counts.links,
            "collision_used": info.counts.collision_used,
            "collision_most": info.counts.collision_most,
        },
        "regions": regions,
        "packages": packages,
        "types": types,
    })
}
