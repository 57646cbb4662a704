//! Sub-opcodes of MISCN for LOOPS, the object system that some images contain
//! (`reference/processor.md` section 25, Maiko src/loopsops.c).
//!
//! An instance has a class, a list of the names of its variables (shared by the
//! instances of the class) and a block with their values. A class has a block of
//! selectors, a block of methods in the same order, and a list of all its
//! superclasses, the nearest first.
//!
//! Two searches are frequent: the method that a class, or the nearest of its
//! superclasses, has for a selector; and the place of a variable in the list of
//! names. Lisp keeps a cache for each, a block of 1024 entries in the value of a
//! variable, which it clears when a class changes. An entry has two keys (class and
//! selector, or list and name) and what was found; its place follows from the low
//! bits of the keys. Lisp code reads and writes the same entries. They are not
//! counted as references.
//!
//! What is not simple is left to Lisp: an object of another type, a variable that
//! the object does not have, an annotated value, which is computed. Then the
//! operation calls a Lisp function of its own with the same operands. In an image
//! without LOOPS, or before its caches are made, the operation traps. The symbols
//! are looked up when the image is opened, so it traps also in a session that has
//! loaded LOOPS, until it is saved and started again.
//!
//! One thing differs from Maiko. There LCFindVarIndex does not see the first name
//! of a list, and the places it answers and leaves in the cache are too small by
//! one for LCGetIVValue and for Lisp. Here all count alike, the first name as 0.

use crate::isa::sub_opcodes::Miscn;
use crate::layout::Generation;
use crate::layout::records::{loops, types};
use crate::machine::Machine;
use crate::memory::LispPtr;
use crate::subr::Outcome;

/// Most selectors and classes that a search for a method looks at.
const MAX_STEPS: u32 = 0x1_0000;

/// The operation leaves its work to Lisp; nothing is changed.
struct GiveUp;

/// The place in a cache of what two keys lead to.
#[derive(Clone, Copy)]
struct Entry {
    address: LispPtr,
    keys: [LispPtr; 2],
}

impl Entry {
    fn new(cache: LispPtr, keys: [LispPtr; 2]) -> Self {
        let number = (keys[0].0 ^ keys[1].0) & (loops::CACHE_ENTRIES - 1);
        Self {
            address: cache.add(loops::CACHE_ENTRY_WORDS * number),
            keys,
        }
    }
}

impl<G: Generation> Machine<'_, G> {
    /// Does `operation` on its operands; `None` if it must trap.
    pub(super) fn loops(&mut self, operation: Miscn, operands: &[LispPtr]) -> Option<Outcome> {
        if !self.has_loops() {
            return None;
        }
        let (value, otherwise) = match (operation, operands) {
            (Miscn::FetchMethod, &[class, selector]) => (
                self.fetch_method(class, selector),
                self.symbols.loops_fetch_method,
            ),
            (Miscn::FetchMethodOrHelp, &[object, selector]) => (
                self.fetch_method_of_object(object, selector),
                self.symbols.loops_fetch_method_or_help,
            ),
            (Miscn::FindVarIndex, &[name, object]) => (
                self.find_variable_index(object, name),
                self.symbols.loops_find_variable_index,
            ),
            (Miscn::GetIvValue, &[object, name]) => (
                self.get_variable(object, name),
                self.symbols.loops_get_value,
            ),
            (Miscn::PutIvValue, &[object, name, value]) => (
                self.put_variable(object, name, value),
                self.symbols.loops_put_value,
            ),
            _ => return None,
        };
        match value {
            Ok(value) => Some(Outcome::Value(value)),
            Err(GiveUp) => {
                let defined = !self.definition(otherwise).masked::<G>().is_nil();
                (defined && !otherwise.is_nil()).then_some(Outcome::Punt(otherwise))
            }
        }
    }

    /// True when the image knows the types of LOOPS and has made the caches.
    fn has_loops(&self) -> bool {
        let s = &self.symbols;
        let types = [s.loops_instance, s.loops_class, s.loops_annotated_value];
        let caches = [s.loops_method_cache, s.loops_variable_cache];
        types.iter().all(|name| !name.is_nil())
            && caches.iter().all(|&variable| {
                let cache = self.loops_field(variable, 0);
                !cache.is_nil() && cache.0 & 1 == 0 && self.type_number(cache) == types::ARRAY_BLOCK
            })
    }

    /// The pointer `offset` words into `object`.
    fn loops_field(&self, object: LispPtr, offset: u32) -> LispPtr {
        self.mem
            .cell(object.masked::<G>().add(offset))
            .masked::<G>()
    }

    /// True when the type of `object` is called `name`.
    fn has_type(&self, object: LispPtr, name: LispPtr) -> bool {
        G::dtd_name(self.mem, G::dtd(u32::from(self.type_number(object)))) == name
    }

    fn is_class(&self, object: LispPtr) -> bool {
        self.has_type(object, self.symbols.loops_class)
    }

    fn is_loops_instance(&self, object: LispPtr) -> bool {
        self.has_type(object, self.symbols.loops_instance)
    }

    /// What the cache has for the keys of `entry`.
    fn cached(&self, entry: Entry) -> Option<LispPtr> {
        let field = |offset| self.loops_field(entry.address, offset);
        ([field(0), field(2)] == entry.keys).then(|| field(4))
    }

    /// Puts `value` in the cache.
    fn remember(&mut self, entry: Entry, value: LispPtr) {
        for (cell, content) in (0..).zip([entry.keys[0], entry.keys[1], value]) {
            self.mem.set_cell(entry.address.add(2 * cell), content);
        }
    }

    /// LCFetchMethod: the method of `class` for `selector`, or NIL.
    fn fetch_method(&mut self, class: LispPtr, selector: LispPtr) -> Result<LispPtr, GiveUp> {
        let method = self.method(class, selector)?;
        Ok(method.unwrap_or(LispPtr::NIL))
    }

    /// LCFetchMethodOrHelp: the method that an instance or class has for `selector`.
    fn fetch_method_of_object(
        &mut self,
        object: LispPtr,
        selector: LispPtr,
    ) -> Result<LispPtr, GiveUp> {
        if !self.is_loops_instance(object) && !self.is_class(object) {
            return Err(GiveUp);
        }
        let class = self.loops_field(object, loops::CLASS);
        self.method(class, selector)?.ok_or(GiveUp)
    }

    /// The method that `class` has or inherits for `selector`.
    fn method(&mut self, class: LispPtr, selector: LispPtr) -> Result<Option<LispPtr>, GiveUp> {
        let keys = [class.masked::<G>(), selector.masked::<G>()];
        let cache = self.loops_field(self.symbols.loops_method_cache, 0);
        let entry = Entry::new(cache, keys);
        // What has an entry is a class. A cleared entry looks like one for NIL.
        if let Some(method) = self.cached(entry).filter(|method| !method.is_nil()) {
            return Ok(Some(method));
        }
        let method = self.search_method(keys[0], keys[1])?;
        if let Some(method) = method {
            self.remember(entry, method);
        }
        Ok(method)
    }

    /// Searches `class` and then its superclasses.
    fn search_method(
        &self,
        mut class: LispPtr,
        selector: LispPtr,
    ) -> Result<Option<LispPtr>, GiveUp> {
        let mut supers = None;
        let mut steps = 0..MAX_STEPS;
        loop {
            if !self.is_class(class) {
                return Err(GiveUp);
            }
            let selectors = self.loops_field(class, loops::SELECTORS);
            let methods = self.loops_field(class, loops::METHODS);
            if !selectors.is_nil() && !methods.is_nil() {
                for offset in (0..).step_by(2) {
                    steps.next().ok_or(GiveUp)?;
                    let found = self.loops_field(selectors, offset);
                    if found.is_nil() {
                        break;
                    }
                    if found == selector {
                        return Ok(Some(self.loops_field(methods, offset)));
                    }
                }
            }
            steps.next().ok_or(GiveUp)?;
            let rest = supers.unwrap_or_else(|| self.loops_field(class, loops::SUPERCLASSES));
            if !self.is_list(rest) {
                return Ok(None);
            }
            class = self.car(rest);
            supers = Some(self.cdr(rest));
        }
    }

    /// LCFindVarIndex: the place of a variable of an instance or class, or NIL.
    fn find_variable_index(&mut self, object: LispPtr, name: LispPtr) -> Result<LispPtr, GiveUp> {
        if !self.is_loops_instance(object) && !self.is_class(object) {
            return Err(GiveUp);
        }
        let index = self.variable_index(object, name)?;
        Ok(index.map_or(LispPtr::NIL, LispPtr::smallpos))
    }

    /// The place of `name` among the variables of `object`.
    fn variable_index(&mut self, object: LispPtr, name: LispPtr) -> Result<Option<u16>, GiveUp> {
        let names = self.loops_field(object, loops::NAMES);
        let name = name.masked::<G>();
        let cache = self.loops_field(self.symbols.loops_variable_cache, 0);
        let entry = Entry::new(cache, [names, name]);
        // A cleared entry has no integer.
        let cached = self.cached(entry).and_then(LispPtr::small_value::<G>);
        if let Some(index) = cached.and_then(|index| u16::try_from(index).ok()) {
            return Ok(Some(index));
        }
        let mut rest = names;
        for index in 0..=u16::MAX {
            if !self.is_list(rest) {
                return Ok(None);
            }
            if self.car(rest) == name {
                self.remember(entry, LispPtr::smallpos(index));
                return Ok(Some(index));
            }
            rest = self.cdr(rest);
        }
        Err(GiveUp)
    }

    /// The cell with the value of a variable of an instance, when the value is not
    /// annotated.
    fn variable_cell(&mut self, object: LispPtr, name: LispPtr) -> Result<LispPtr, GiveUp> {
        if !self.is_loops_instance(object) {
            return Err(GiveUp);
        }
        let index = self.variable_index(object, name)?.ok_or(GiveUp)?;
        let values = self.loops_field(object, loops::VALUES);
        let cell = values.add(2 * u32::from(index));
        let value = self.loops_field(cell, 0);
        if values.is_nil() || self.has_type(value, self.symbols.loops_annotated_value) {
            return Err(GiveUp);
        }
        Ok(cell)
    }

    /// LCGetIVValue: the value of a variable of an instance.
    fn get_variable(&mut self, object: LispPtr, name: LispPtr) -> Result<LispPtr, GiveUp> {
        let cell = self.variable_cell(object, name)?;
        Ok(self.loops_field(cell, 0))
    }

    /// LCPutIVValue: gives a variable of an instance a value and answers it.
    fn put_variable(
        &mut self,
        object: LispPtr,
        name: LispPtr,
        value: LispPtr,
    ) -> Result<LispPtr, GiveUp> {
        let cell = self.variable_cell(object, name)?;
        self.store_counted(cell, value);
        Ok(value)
    }
}
