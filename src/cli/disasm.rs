//! `geiko disasm`.

use geiko_jit::{Jit, Pace};
use geiko_runtime::image::functions::{ArgumentKind, CodeBlock, Storage, definitions};
use geiko_runtime::image::{ImageFile, Names, functions};
use geiko_runtime::isa::disasm::{FunctionInfo, Listing};
use geiko_runtime::layout::{Generation, Medley2, Medley3, Release};
use geiko_runtime::memory::LispPtr;
use geiko_runtime::symbols::Symbols;

use super::{DisasmArgs, output};
use crate::error::{Error, Status};
use crate::image_names::ImageNames;
use crate::lisp::image as builtin;

/// Likeness from which a name is worth proposing.
const LIKE: f64 = 0.85;
/// Native code that is only looked at needs a door and nothing else.
const CODE_BYTES: usize = 1 << 16;

/// Lists the code of functions.
pub fn disasm(arguments: &DisasmArgs) -> Result<Status, Error> {
    let mut names = arguments.names.clone();
    let image = match &arguments.image {
        Some(path) if path.exists() => ImageFile::open(path)?,
        first => {
            // What is no file is a name.
            let first = first.as_ref().map(|name| name.to_string_lossy().into());
            names.splice(0..0, first);
            builtin(Release::Medley3)?
        }
    };
    if names.is_empty() && !arguments.all {
        return Err(Error::NoNames);
    }
    match image.header().release {
        Release::Medley2 => list::<Medley2>(&image, &names, arguments),
        Release::Medley3 => list::<Medley3>(&image, &names, arguments),
    }
}

fn list<G: Generation>(
    image: &ImageFile,
    wanted: &[String],
    arguments: &DisasmArgs,
) -> Result<Status, Error> {
    let space = image.load::<G>(image.memory_size(None)?)?;
    let names = Names::new(space.view());
    let jit = (arguments.jit)
        .then(|| Jit::new(space.view(), CODE_BYTES, Pace::Now))
        .transpose()?;
    let show = |name, code| listing(&names, name, code, jit.as_ref());
    if arguments.all {
        let mut blocks: Vec<_> = definitions(space.view())
            .map(|definition| (names.object(definition.symbol), definition.code))
            .collect();
        blocks.sort();
        for (name, code) in blocks {
            output::text(&format!("{}\n", show(Some(name), code)?))?;
        }
        return Ok(Status::Success);
    }
    // Every name must be right before anything is printed.
    let blocks = wanted
        .iter()
        .map(|name| find(&names, name))
        .collect::<Result<Vec<_>, _>>()?;
    let listings = (blocks.into_iter().flatten())
        .map(|code| show(None, code))
        .collect::<Result<Vec<_>, _>>()?;
    output::text(&listings.join("\n"))?;
    Ok(Status::Success)
}

/// The code block at the address `#hi,lo`, or that of the function called
/// `name`; a name without package that is no function of the main package means
/// all functions that print so, in letters of either case.
fn find<G: Generation>(names: &Names<'_, G>, name: &str) -> Result<Vec<LispPtr>, Error> {
    if let Some(address) = address(name) {
        let block = CodeBlock::at(names.mem(), address);
        return match block.end() {
            Some(_) => Ok(vec![block.address()]),
            None => Err(Error::NoCode { at: name.into() }),
        };
    }
    let exact = [name.to_owned(), name.to_uppercase()]
        .iter()
        .find_map(|name| functions::find_definition(names, name));
    if let Some(definition) = exact {
        return Ok(vec![definition.code]);
    }
    let anywhere: Vec<_> = definitions(names.mem())
        .filter(|definition| {
            let known = names.print_name(definition.symbol);
            known.is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
        .map(|definition| definition.code)
        .collect();
    if anywhere.is_empty() {
        return Err(Error::NoFunction {
            name: name.into(),
            like: similar(names, name),
        });
    }
    Ok(anywhere)
}

/// Reads an address as listings show it.
fn address(text: &str) -> Option<LispPtr> {
    let (hi, lo) = text.strip_prefix('#')?.split_once(',')?;
    let part = |digits| {
        u32::from_str_radix(digits, 16)
            .ok()
            .filter(|n| *n <= 0xFFFF)
    };
    Some(LispPtr(part(hi)? << 16 | part(lo)?))
}

/// The function whose name is most like `name`.
fn similar<G: Generation>(names: &Names<'_, G>, name: &str) -> Option<String> {
    let wanted = name.to_uppercase();
    definitions(names.mem())
        .map(|definition| names.name(definition.symbol))
        .map(|known| (strsim::jaro_winkler(&wanted, &known), known))
        .filter(|&(likeness, _)| likeness >= LIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// The listing of a code block, perhaps with its native code; without a `name`, under
/// the name of its frames.
fn listing<G: Generation>(
    names: &Names<'_, G>,
    name: Option<String>,
    code: LispPtr,
    jit: Option<&Jit<G>>,
) -> Result<String, Error> {
    let block = CodeBlock::at(names.mem(), code);
    let mut info = function_info(names, &block);
    if let Some(name) = name {
        info.name = name;
    }
    let bytes = block.code();
    let image_names = ImageNames(names);
    let start = info.startpc.into();
    let listing = Listing::new(&bytes, start, G::OPERAND_BYTES, &image_names).with_function(&info);
    let Some(jit) = jit else {
        return Ok(listing.to_string());
    };
    let callee = |symbol| names.object(symbol);
    let (symbols, _) = Symbols::find(names.mem(), |name| names.find(name));
    let Some(native) = jit.list(names.mem(), &symbols, code, &callee)? else {
        return Ok(format!("{listing}  no native code can be made of it\n"));
    };
    let notes = |offset: Option<u32>| match offset {
        None => native.frame.to_string(),
        Some(offset) => (native.parts.get(&offset)).map_or_else(String::new, ToString::to_string),
    };
    let code = listing.with_notes(&notes);
    Ok(format!("{code}  {} bytes of machine code\n", native.bytes))
}

fn function_info<G: Generation>(names: &Names<'_, G>, block: &CodeBlock<'_, G>) -> FunctionInfo {
    let header = block.header();
    let mut info = FunctionInfo {
        name: names.object(header.frame_name),
        na: header.argument_count,
        pv: header.pvar_quads,
        nlocals: header.locals,
        startpc: header.start_pc,
        stkmin: header.stack_min,
        argtype: match header.arguments {
            ArgumentKind::Lambda => 0,
            ArgumentKind::NLambda => 1,
            ArgumentKind::LambdaNoSpread => 2,
            ArgumentKind::NLambdaNoSpread => 3,
        },
        ntsize: header.name_table_words,
        ..FunctionInfo::default()
    };
    for variable in block.variables() {
        let (variables, number) = match variable.storage {
            Storage::Argument(number) => (&mut info.arguments, number),
            Storage::Local(number) => (&mut info.locals, number),
            Storage::Free(number) => (&mut info.free_variables, number),
        };
        let number = u16::from(number);
        if !variables.iter().any(|(known, _)| *known == number) {
            variables.push((number, names.object(variable.name)));
        }
    }
    for variables in [
        &mut info.arguments,
        &mut info.locals,
        &mut info.free_variables,
    ] {
        variables.sort();
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, address_of) in [
            ("#14,5f44", Some(LispPtr(0x14_5F44))),
            ("#0,0", Some(LispPtr::NIL)),
            ("14,5f44", None),
            ("#14", None),
            ("#12345,0", None),
            ("#x,y", None),
        ] {
            assert_eq!(address(text), address_of, "{text}");
        }
    }
}
