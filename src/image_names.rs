//! Names of what code refers to, from the image that it belongs to.

use geiko_runtime::image;
use geiko_runtime::isa::disasm;
use geiko_runtime::layout::Generation;
use geiko_runtime::memory::LispPtr;

/// The names of an image, for listings of code.
pub struct ImageNames<'a, 'm, G: Generation>(pub &'a image::Names<'m, G>);

impl<G: Generation> disasm::Names for ImageNames<'_, '_, G> {
    fn atom(&self, atom: u32) -> String {
        self.0.object(LispPtr(atom))
    }

    fn pointer(&self, pointer: u32) -> String {
        self.0.object(LispPtr(pointer))
    }

    fn type_name(&self, number: u16) -> Option<String> {
        self.0.type_name(number)
    }
}
