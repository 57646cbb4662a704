//! Function calls: arguments and parameters.

use crate::datum::Datum;

use super::Expander;
use super::analyse::Brief;
use super::eval::new_frame;
use super::node::{Environment, Flow, Function, FunctionKind, Lambda, Optional, Parameters, error};

impl Expander {
    /// Calls a function.
    pub(super) fn apply(&mut self, function: &Function, arguments: Vec<Datum>) -> Flow<Datum> {
        self.step()?;
        match &*function.0 {
            FunctionKind::Primitive(primitive) => {
                if !(primitive.least..=primitive.most).contains(&arguments.len()) {
                    let amount = if arguments.len() < primitive.least {
                        "few"
                    } else {
                        "many"
                    };
                    return error(format!("too {amount} arguments to {}", primitive.name));
                }
                self.more_values = None;
                (primitive.run)(self, &arguments)
            }
            FunctionKind::Closure(lambda, environment) => {
                let (lambda, environment) = (lambda.clone(), environment.clone());
                self.call_closure(&lambda, &environment, arguments)
            }
        }
    }

    #[inline(never)]
    fn call_closure(
        &mut self,
        lambda: &Lambda,
        environment: &Environment,
        arguments: Vec<Datum>,
    ) -> Flow<Datum> {
        let parameters = &lambda.parameters;
        let inner = if parameters.required == parameters.slots {
            if arguments.len() != parameters.slots as usize {
                return wrong_count(lambda, arguments.len());
            }
            new_frame(arguments, environment)
        } else {
            self.bind_parameters(lambda, environment, arguments)?
        };
        if parameters.specials.is_empty() {
            return self.run(&lambda.body, &inner);
        }
        let mut saved = Vec::new();
        for &(slot, index) in &parameters.specials {
            let value = read(&inner, slot);
            saved.push((index, self.globals[index].value.replace(value)));
        }
        let outcome = self.run(&lambda.body, &inner);
        self.restore(saved);
        outcome
    }

    /// Binds parameters of which some have defaults.
    #[inline(never)]
    fn bind_parameters(
        &mut self,
        lambda: &Lambda,
        environment: &Environment,
        mut arguments: Vec<Datum>,
    ) -> Flow<Environment> {
        let parameters = &lambda.parameters;
        let required = parameters.required as usize;
        let positions = required + parameters.optional.len();
        let open = parameters.rest.is_some() || parameters.has_keys;
        if arguments.len() < required || (arguments.len() > positions && !open) {
            return wrong_count(lambda, arguments.len());
        }
        let rest = arguments.split_off(positions.min(arguments.len()));
        let mut given = arguments.split_off(required).into_iter();
        arguments.resize(parameters.slots as usize, Datum::nil());
        let frame = new_frame(arguments, environment);
        for parameter in &parameters.optional {
            self.bind_optional(parameter, given.next(), &frame)?;
        }
        if let Some(slot) = parameters.rest {
            write(&frame, slot, Datum::list(rest.iter().cloned()));
        }
        if parameters.has_keys {
            check_keys(parameters, &rest)?;
            for (key, parameter) in &parameters.keys {
                let mut pairs = rest.chunks_exact(2);
                let given = pairs.find(|pair| pair[0] == *key);
                self.bind_optional(parameter, given.map(|pair| pair[1].clone()), &frame)?;
            }
        }
        for (slot, value) in &parameters.auxiliary {
            let value = self.run(value, &frame)?;
            write(&frame, *slot, value);
        }
        self.more_values = None;
        Ok(frame)
    }

    fn bind_optional(
        &mut self,
        parameter: &Optional,
        given: Option<Datum>,
        frame: &Environment,
    ) -> Flow<()> {
        if let Some(slot) = parameter.supplied {
            write(frame, slot, Datum::boolean(given.is_some()));
        }
        let value = match given {
            Some(value) => value,
            None => self.run(&parameter.default, frame)?,
        };
        write(frame, parameter.slot, value);
        Ok(())
    }
}

/// Keyword arguments come in pairs, with known names.
fn check_keys(parameters: &Parameters, rest: &[Datum]) -> Flow<()> {
    if !rest.len().is_multiple_of(2) {
        return error("a keyword argument without a value");
    }
    if parameters.allow_other_keys {
        return Ok(());
    }
    for pair in rest.chunks_exact(2) {
        if !parameters.keys.iter().any(|(key, _)| *key == pair[0]) {
            return error(format!("{} is not a keyword argument", Brief(&pair[0])));
        }
    }
    Ok(())
}

fn write(frame: &Environment, slot: u32, value: Datum) {
    if let Some(frame) = frame {
        frame.slots.borrow_mut()[slot as usize] = value;
    }
}

fn read(frame: &Environment, slot: u32) -> Datum {
    match frame {
        Some(frame) => frame.slots.borrow()[slot as usize].clone(),
        None => Datum::nil(),
    }
}

#[cold]
fn wrong_count<T>(lambda: &Lambda, count: usize) -> Flow<T> {
    let amount = if count < lambda.parameters.required as usize {
        "few"
    } else {
        "many"
    };
    match &lambda.name {
        Some(name) => error(format!(
            "too {amount} arguments to {}",
            Datum::Symbol(name.clone())
        )),
        None => error(format!("too {amount} arguments to a function")),
    }
}
