//! `geiko audit`.

use std::path::Path;

use geiko_runtime::audit::{Audit, Difference};
use geiko_runtime::image::{ImageFile, Names};
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use geiko_runtime::symbols::Symbols;
use serde_json::{Value, json};

use super::{AuditArgs, output};
use crate::error::{Error, Status};

/// Audits an image: status 1 if it is not sound.
pub fn audit(arguments: &AuditArgs) -> Result<Status, Error> {
    let image = ImageFile::open(&arguments.image)?;
    let audit = match image.header().release {
        Release::Medley2 => audit_of::<Medley2>(&image),
        Release::Medley3 => audit_of::<Medley3>(&image),
    }?;
    if arguments.json {
        output::json(&to_json(&arguments.image, &audit))?;
    } else {
        let mut text = audit.to_string();
        if arguments.differences {
            text.push_str(&differences(&audit.recount.differences));
        }
        output::text(&text)?;
    }
    Ok(if audit.is_sound() {
        Status::Success
    } else {
        Status::Failure
    })
}

fn audit_of<G: Generation>(image: &ImageFile) -> Result<Audit, Error> {
    let space = image.load::<G>(image.memory_size(None)?)?;
    let names = Names::new(space.view());
    let (symbols, _) = Symbols::find(space.view(), |name| names.find(name));
    Ok(Audit::run(space.view(), &symbols))
}

fn differences(differences: &[Difference]) -> String {
    let mut text = String::from("\nobject      type  stored   found  cause\n");
    for difference in differences {
        text.push_str(&format!(
            "{:>10} {:5} {:7} {:7}  {}\n",
            difference.object.to_string(),
            difference.type_number,
            difference.stored,
            difference.found,
            difference.cause.explanation()
        ));
    }
    text
}

fn to_json(image: &Path, audit: &Audit) -> Value {
    let causes: Vec<_> = audit
        .by_cause()
        .into_iter()
        .map(|(cause, count)| {
            json!({
                "cause": format!("{cause:?}"),
                "explanation": cause.explanation(),
                "harmless": cause.is_harmless(),
                "objects": count,
            })
        })
        .collect();
    let differences: Vec<_> = audit
        .recount
        .differences
        .iter()
        .map(|difference| {
            json!({
                "object": difference.object.0,
                "type": difference.type_number,
                "stored": difference.stored,
                "found": difference.found,
                "cause": format!("{:?}", difference.cause),
            })
        })
        .collect();
    let Audit {
        counts,
        recount,
        arrays,
        conses,
    } = audit;
    json!({
        "image": image.to_string_lossy(),
        "sound": audit.is_sound(),
        "defects": audit.defects(),
        "recount": {
            "objects": recount.objects,
            "agree": recount.agree,
            "causes": causes,
            "differences": differences,
            "free_objects": recount.free_objects,
            "dangling_references": recount.dangling,
        },
        "count_table": {
            "occupied": counts.occupied,
            "chains": counts.chains,
            "links": counts.links,
            "zero": counts.zero,
            "one": counts.one,
            "large": counts.large,
            "stack_bits": counts.stack_bits,
        },
        "list_cells": {
            "pages": conses.pages,
            "free": conses.free,
            "nil_cdr": conses.nil_cdr,
            "on_page_cdr": conses.on_page_cdr,
            "stored_cdr": conses.stored_cdr,
            "forwarders": conses.forwarders,
            "wrong_free_counts": conses.wrong_free_counts,
            "broken_chains": conses.broken_chains,
        },
        "array_space": {
            "blocks": arrays.blocks,
            "raw_blocks": arrays.unboxed,
            "pointer_blocks": arrays.pointers,
            "code_blocks": arrays.code,
            "cells_in_use": arrays.cells_in_use,
            "free_blocks": arrays.free,
            "cells_free": arrays.cells_free,
            "on_rings": arrays.on_rings,
            "off_rings": arrays.off_rings,
            "unmerged": arrays.unmerged,
        },
    })
}
