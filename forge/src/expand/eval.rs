//! Evaluation of nodes.
//!
//! A form has one value, which is returned, and further ones in `more_values` if it
//! is a call of VALUES. Forms that are not followed by another one within the same
//! form leave them alone.

use std::cell::RefCell;
use std::rc::Rc;

use crate::datum::{Datum, Symbol};

use super::analyse::{function_name, is_now, parts};
use super::node::{
    Address, Call, Callee, Environment, Exit, Flow, Frame, Function, FunctionKind, Functions,
    GlobalIndex, Lambda, Let, Node, error,
};
use super::{Definition, Expander, global_environment};

impl Expander {
    /// Evaluates a form outside all others, so that what it defines counts at once.
    pub(super) fn eval_top_level(&mut self, form: &Datum) -> Flow<Datum> {
        self.step()?;
        let mut form = form.clone();
        while let Some((name, expander)) = self.macro_of(&form) {
            self.step()?;
            form = self.expand_with(&name, &expander, &form)?;
        }
        let operator = form.operator().filter(|name| name.is(&name.name));
        let skipped = match operator.map(|name| &*name.name) {
            Some("PROGN") => 1,
            Some("EVAL-WHEN") => 2,
            Some("DEFUN") => return self.define_later(&form),
            _ => {
                let node = self.analyse(&form, &mut Vec::new())?;
                return self.run(&node, &global_environment());
            }
        };
        if skipped == 2 && !form.elements().nth(1).is_some_and(is_now) {
            return Ok(Datum::nil());
        }
        let mut value = Datum::nil();
        for form in form.elements().skip(skipped) {
            self.more_values = None;
            value = self.eval_top_level(form)?;
        }
        Ok(value)
    }

    /// Defines a function that is analysed when it is first called.
    fn define_later(&mut self, form: &Datum) -> Flow<Datum> {
        let parts = parts(form, 3, super::ANY)?;
        let name = function_name(&parts[1])?;
        let body = Datum::list(parts[3..].iter().cloned());
        self.define_function(&name, &parts[2], &body);
        Ok(parts[1].clone())
    }

    /// Evaluates a node. What it does for each kind is in functions of its own, to keep
    /// this frame small.
    pub(super) fn run(&mut self, node: &Node, environment: &Environment) -> Flow<Datum> {
        self.step()?;
        match node {
            Node::Constant(datum) => Ok(datum.clone()),
            Node::Local(address) => Ok(local(*address, environment)),
            Node::Global(index) => self.global_value(*index),
            Node::Set(address, value) => self.run_set(*address, value, environment),
            Node::SetGlobal(index, value) => self.run_set_global(*index, value, environment),
            Node::If(parts) => self.run_if(parts, environment),
            Node::Progn(forms) => self.run_progn(forms, environment),
            Node::And(forms) => self.run_until(forms, true, environment),
            Node::Or(forms) => self.run_until(forms, false, environment),
            Node::Cond(clauses) => self.run_cond(clauses, environment),
            Node::Let(form) => self.run_let(form, environment),
            Node::Lambda(lambda) => Ok(closure(lambda, environment)),
            Node::GlobalFunction(index) => self.function_of(*index).map(Datum::Function),
            Node::Call(call) => self.run_call(call, environment),
            Node::Functions(form) => self.run_functions(form, environment),
            Node::Block(body) => self.run_block(body, environment),
            Node::ReturnFrom(depth, value) => self.run_return(*depth, value, environment),
            Node::Tagbody(statements, targets) => {
                self.run_tagbody(statements, targets, environment)
            }
            Node::Go(depth, tag) => run_go(*depth, *tag, environment),
            Node::Catch(parts) => self.run_catch(parts, environment),
            Node::Throw(parts) => self.run_throw(parts, environment),
            Node::UnwindProtect(parts) => self.run_first(parts, true, environment),
            Node::ValuesFirst(parts) => self.run_first(parts, false, environment),
            Node::ValuesCall(function, forms) => self.run_values_call(function, forms, environment),
            Node::Progv(parts) => self.run_progv(parts, environment),
            Node::DefineFunction(index, lambda) => {
                self.run_define_function(*index, lambda, environment)
            }
            Node::DefineMacro(name, lambda_list, body) => {
                self.set_macro(name, lambda_list, body);
                Ok(Datum::Symbol(name.clone()))
            }
            Node::DefineVariable {
                variable,
                value,
                keep,
            } => self.run_define_variable(*variable, value.as_deref(), *keep, environment),
        }
    }

    /// Evaluates a form of which only one value is wanted.
    fn run_one(&mut self, node: &Node, environment: &Environment) -> Flow<Datum> {
        let value = self.run(node, environment)?;
        self.more_values = None;
        Ok(value)
    }

    #[inline(never)]
    fn run_set(
        &mut self,
        address: Address,
        value: &Node,
        environment: &Environment,
    ) -> Flow<Datum> {
        let value = self.run_one(value, environment)?;
        if let Some(frame) = frame(environment, address.depth) {
            frame.slots.borrow_mut()[address.slot as usize] = value.clone();
        }
        Ok(value)
    }

    #[inline(never)]
    fn run_set_global(
        &mut self,
        index: GlobalIndex,
        value: &Node,
        environment: &Environment,
    ) -> Flow<Datum> {
        let value = self.run_one(value, environment)?;
        self.globals[index].value = Some(value.clone());
        Ok(value)
    }

    #[inline(never)]
    fn run_if(&mut self, parts: &[Node; 3], environment: &Environment) -> Flow<Datum> {
        let test = self.run_one(&parts[0], environment)?;
        let branch = if test.is_nil() { &parts[2] } else { &parts[1] };
        self.run(branch, environment)
    }

    #[inline(never)]
    fn run_return(&mut self, depth: u32, value: &Node, environment: &Environment) -> Flow<Datum> {
        let value = self.run(value, environment)?;
        match frame(environment, depth) {
            Some(block) => Err(Box::new(Exit::Return(block.clone(), value))),
            None => Ok(value),
        }
    }

    #[inline(never)]
    fn run_throw(&mut self, parts: &[Node; 2], environment: &Environment) -> Flow<Datum> {
        let tag = self.run_one(&parts[0], environment)?;
        let value = self.run(&parts[1], environment)?;
        Err(Box::new(Exit::Throw(tag, value)))
    }

    /// The values of the first part; the second comes behind it, in any case if it is
    /// `protected`.
    #[inline(never)]
    fn run_first(
        &mut self,
        parts: &[Node; 2],
        protected: bool,
        environment: &Environment,
    ) -> Flow<Datum> {
        let outcome = self.run(&parts[0], environment);
        if outcome.is_err() && !protected {
            return outcome;
        }
        let more = self.more_values.take();
        self.run(&parts[1], environment)?;
        self.more_values = more;
        outcome
    }

    #[inline(never)]
    fn run_define_function(
        &mut self,
        index: GlobalIndex,
        lambda: &Rc<Lambda>,
        environment: &Environment,
    ) -> Flow<Datum> {
        let kind = FunctionKind::Closure(lambda.clone(), environment.clone());
        let global = &mut self.globals[index];
        global.function = Some(Definition::Ready(Function(Rc::new(kind))));
        Ok(Datum::Symbol(global.symbol.clone()))
    }

    fn global_value(&self, index: GlobalIndex) -> Flow<Datum> {
        let global = &self.globals[index];
        match &global.value {
            Some(value) => Ok(value.clone()),
            None => {
                let name = Datum::Symbol(global.symbol.clone());
                error(format!("the variable {name} has no value at compile time"))
            }
        }
    }

    #[inline(never)]
    fn run_define_variable(
        &mut self,
        variable: GlobalIndex,
        value: Option<&Node>,
        keep: bool,
        environment: &Environment,
    ) -> Flow<Datum> {
        if let Some(value) = value
            && !(keep && self.globals[variable].value.is_some())
        {
            let value = self.run_one(value, environment)?;
            self.globals[variable].value = Some(value);
        }
        Ok(Datum::Symbol(self.globals[variable].symbol.clone()))
    }

    #[inline(never)]
    fn run_progn(&mut self, forms: &[Node], environment: &Environment) -> Flow<Datum> {
        let Some((last, forms)) = forms.split_last() else {
            return Ok(Datum::nil());
        };
        for form in forms {
            self.run_one(form, environment)?;
        }
        self.run(last, environment)
    }

    /// AND goes on while values are true, OR while they are false.
    #[inline(never)]
    fn run_until(&mut self, forms: &[Node], and: bool, environment: &Environment) -> Flow<Datum> {
        let Some((last, forms)) = forms.split_last() else {
            return Ok(Datum::nil());
        };
        for form in forms {
            let value = self.run_one(form, environment)?;
            if value.is_nil() == and {
                return Ok(value);
            }
        }
        self.run(last, environment)
    }

    #[inline(never)]
    fn run_cond(
        &mut self,
        clauses: &[(Node, Option<Node>)],
        environment: &Environment,
    ) -> Flow<Datum> {
        for (test, body) in clauses {
            let value = self.run_one(test, environment)?;
            if !value.is_nil() {
                return match body {
                    Some(body) => self.run(body, environment),
                    None => Ok(value),
                };
            }
        }
        Ok(Datum::nil())
    }

    #[inline(never)]
    fn run_let(&mut self, form: &Let, environment: &Environment) -> Flow<Datum> {
        if form.specials.is_empty() {
            let inner = self.let_frame(form, environment)?;
            return self.run(&form.body, &inner);
        }
        let mut saved = Vec::new();
        let outcome = self
            .let_frame_special(form, environment, &mut saved)
            .and_then(|inner| self.run(&form.body, &inner));
        self.restore(saved);
        outcome
    }

    fn let_frame(&mut self, form: &Let, environment: &Environment) -> Flow<Environment> {
        if form.sequential {
            let inner = new_frame(Vec::with_capacity(form.values.len()), environment);
            for value in &form.values {
                let value = self.run_one(value, &inner)?;
                push_slot(&inner, value);
            }
            return Ok(inner);
        }
        let mut slots = Vec::with_capacity(form.values.len());
        for value in &form.values {
            slots.push(self.run_one(value, environment)?);
        }
        Ok(new_frame(slots, environment))
    }

    /// The same when some of the variables are special.
    fn let_frame_special(
        &mut self,
        form: &Let,
        environment: &Environment,
        saved: &mut Vec<(GlobalIndex, Option<Datum>)>,
    ) -> Flow<Environment> {
        if !form.sequential {
            let inner = self.let_frame(form, environment)?;
            for &(slot, index) in &form.specials {
                let value = local(Address { depth: 0, slot }, &inner);
                saved.push((index, self.globals[index].value.replace(value)));
            }
            return Ok(inner);
        }
        let inner = new_frame(Vec::with_capacity(form.values.len()), environment);
        for (slot, value) in form.values.iter().enumerate() {
            let value = self.run_one(value, &inner)?;
            push_slot(&inner, value.clone());
            let special = form.specials.iter().find(|(at, _)| *at as usize == slot);
            if let Some(&(_, index)) = special {
                saved.push((index, self.globals[index].value.replace(value)));
            }
        }
        Ok(inner)
    }

    /// Ends dynamic bindings, the last one first.
    pub(super) fn restore(&mut self, saved: Vec<(GlobalIndex, Option<Datum>)>) {
        for (index, value) in saved.into_iter().rev() {
            self.globals[index].value = value;
        }
    }

    #[inline(never)]
    fn run_progv(&mut self, parts: &[Node; 3], environment: &Environment) -> Flow<Datum> {
        let names = self.run_one(&parts[0], environment)?;
        let values = self.run_one(&parts[1], environment)?;
        let mut values = values.elements();
        let mut saved = Vec::new();
        for name in names.elements() {
            let Datum::Symbol(name) = name else {
                self.restore(saved);
                return error(format!("PROGV of {name}, which is not a symbol"));
            };
            let index = self.global_index(name);
            let value = values.next().cloned();
            saved.push((
                index,
                std::mem::replace(&mut self.globals[index].value, value),
            ));
        }
        let outcome = self.run(&parts[2], environment);
        self.restore(saved);
        outcome
    }

    #[inline(never)]
    fn run_call(&mut self, call: &Call, environment: &Environment) -> Flow<Datum> {
        let outcome = self.call_function(call, environment);
        outcome.map_err(|exit| exit.locate(call.place.as_ref()))
    }

    #[inline(never)]
    fn call_function(&mut self, call: &Call, environment: &Environment) -> Flow<Datum> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.run_one(argument, environment)?);
        }
        let function = match &call.function {
            Callee::Global(index) => match &self.globals[*index].function {
                Some(Definition::Ready(function)) => function.clone(),
                _ => self.function_of(*index)?,
            },
            Callee::Value(node) => match self.run_one(node, environment)? {
                Datum::Function(function) => function,
                other => return error(format!("{other} is not a function")),
            },
        };
        self.apply(&function, arguments)
    }

    #[inline(never)]
    fn run_functions(&mut self, form: &Functions, environment: &Environment) -> Flow<Datum> {
        let inner = new_frame(Vec::with_capacity(form.functions.len()), environment);
        let seen = if form.recursive { &inner } else { environment };
        for lambda in &form.functions {
            push_slot(&inner, closure(lambda, seen));
        }
        let value = self.run(&form.body, &inner);
        // Functions that see each other would keep each other alive, even if none of
        // them was passed on.
        if form.recursive
            && let Some(frame) = &inner
            && Rc::strong_count(frame) == 1 + form.functions.len()
            && frame.slots.borrow().iter().all(
                |slot| matches!(slot, Datum::Function(function) if Rc::strong_count(&function.0) == 1),
            )
        {
            frame.slots.borrow_mut().clear();
        }
        value
    }

    #[inline(never)]
    fn run_block(&mut self, body: &Node, environment: &Environment) -> Flow<Datum> {
        let inner = new_frame(Vec::new(), environment);
        match self.run(body, &inner) {
            Err(exit) => match *exit {
                Exit::Return(block, value) if is_frame(&inner, &block) => Ok(value),
                other => Err(Box::new(other)),
            },
            value => value,
        }
    }

    #[inline(never)]
    fn run_tagbody(
        &mut self,
        statements: &[Node],
        targets: &[usize],
        environment: &Environment,
    ) -> Flow<Datum> {
        let inner = new_frame(Vec::new(), environment);
        let mut next = 0;
        while let Some(statement) = statements.get(next) {
            next += 1;
            self.step()?;
            if let Err(exit) = self.run_one(statement, &inner) {
                match *exit {
                    Exit::Go(frame, tag) if is_frame(&inner, &frame) => next = targets[tag],
                    other => return Err(Box::new(other)),
                }
            }
        }
        Ok(Datum::nil())
    }

    #[inline(never)]
    fn run_catch(&mut self, parts: &[Node; 2], environment: &Environment) -> Flow<Datum> {
        let tag = self.run_one(&parts[0], environment)?;
        match self.run(&parts[1], environment) {
            Err(exit) => match *exit {
                Exit::Throw(thrown, value) if thrown.is_same(&tag) => Ok(value),
                other => Err(Box::new(other)),
            },
            value => value,
        }
    }

    #[inline(never)]
    fn run_values_call(
        &mut self,
        function: &Node,
        forms: &[Node],
        environment: &Environment,
    ) -> Flow<Datum> {
        let function = self.run_one(function, environment)?;
        let mut arguments = Vec::new();
        for form in forms {
            self.more_values = None;
            let value = self.run(form, environment)?;
            match self.more_values.take() {
                Some(values) => arguments.extend(values),
                None => arguments.push(value),
            }
        }
        let function = self.as_function(&function)?;
        self.apply(&function, arguments)
    }

    /// The function that a function or its name is.
    pub(super) fn as_function(&mut self, designator: &Datum) -> Flow<Function> {
        match designator {
            Datum::Function(function) => Ok(function.clone()),
            Datum::Symbol(name) => {
                let index = self.global_index(name);
                self.function_of(index)
            }
            other => error(format!("{other} is not a function")),
        }
    }

    pub(super) fn set_macro(&mut self, name: &Symbol, lambda_list: &Datum, body: &Datum) {
        let expander = Rc::new(super::Macro::new(lambda_list, body));
        self.global_mut(name).expander = Some(expander);
    }
}

fn closure(lambda: &Rc<Lambda>, environment: &Environment) -> Datum {
    let kind = FunctionKind::Closure(lambda.clone(), environment.clone());
    Datum::Function(Function(Rc::new(kind)))
}

fn run_go(depth: u32, tag: usize, environment: &Environment) -> Flow<Datum> {
    match frame(environment, depth) {
        Some(frame) => Err(Box::new(Exit::Go(frame.clone(), tag))),
        None => Ok(Datum::nil()),
    }
}

/// A frame within an environment.
pub(super) fn new_frame(slots: Vec<Datum>, parent: &Environment) -> Environment {
    Some(Rc::new(Frame {
        slots: RefCell::new(slots),
        parent: parent.clone(),
    }))
}

fn push_slot(frame: &Environment, value: Datum) {
    if let Some(frame) = frame {
        frame.slots.borrow_mut().push(value);
    }
}

fn frame(environment: &Environment, depth: u32) -> Option<&Rc<Frame>> {
    let mut frame = environment.as_ref()?;
    for _ in 0..depth {
        frame = frame.parent.as_ref()?;
    }
    Some(frame)
}

fn is_frame(environment: &Environment, frame: &Rc<Frame>) -> bool {
    environment
        .as_ref()
        .is_some_and(|mine| Rc::ptr_eq(mine, frame))
}

fn local(address: Address, environment: &Environment) -> Datum {
    let value = frame(environment, address.depth)
        .and_then(|frame| frame.slots.borrow().get(address.slot as usize).cloned());
    value.unwrap_or_else(Datum::nil)
}
