//! What closures need.
//!
//! The variables of a scope that other functions refer to live in an object on the
//! heap, the scope's environment. A function gets the environment of the innermost
//! scope that it needs; environments know those around them where something needs
//! that, so it reaches all others from there.
//!
//! Local functions that need no environment become functions of symbols of their
//! own, and so do those that need one but are only called: they get it as an
//! argument. Only what remains has a closure, in a variable.

use super::tree::{FunctionId, ScopeId, Strategy, Unit, VariableId};

/// Decides everything about closures.
pub fn analyse(unit: &mut Unit) {
    find_needs(unit, false);
    choose_strategies(unit);
    // Variables that hold closures may be needed as well.
    let held: Vec<(FunctionId, VariableId)> = (0..unit.functions.len())
        .flat_map(|index| {
            let function = FunctionId(index as u32);
            let unit = &*unit;
            unit.function(function).calls.iter().filter_map(move |&id| {
                let callee = unit.function(id);
                let variable = callee.variable?;
                let held = callee.strategy == Strategy::Closure;
                (held && unit.owner(variable) != function).then_some((function, variable))
            })
        })
        .collect();
    for (function, variable) in held {
        unit.variables[variable.index()].captured = true;
        unit.functions[function.index()].uses.insert(variable);
    }
    find_needs(unit, true);
    place_variables(unit);
    link_environments(unit);
}

/// Whether a scope is bound outside of a function.
fn is_outside(unit: &Unit, scope: ScopeId, function: FunctionId) -> bool {
    unit.is_inside(function, unit.scope(scope).function)
}

/// Which environments each function needs, for itself and for what it calls.
/// `closures` says whether it is known which local functions are closures.
fn find_needs(unit: &mut Unit, closures: bool) {
    for index in 0..unit.functions.len() {
        let scopes = unit.functions[index]
            .uses
            .iter()
            .map(|&id| unit.variable(id).scope)
            .collect();
        unit.functions[index].needs = scopes;
    }
    loop {
        let mut grown = false;
        for index in 0..unit.functions.len() {
            let id = FunctionId(index as u32);
            let more: Vec<_> = unit
                .function(id)
                .calls
                .iter()
                // A closure brings its environment along.
                .filter(|&&callee| {
                    !(closures && unit.function(callee).strategy == Strategy::Closure)
                })
                .flat_map(|&callee| unit.function(callee).needs.iter().copied())
                .filter(|&scope| is_outside(unit, scope, id))
                .collect();
            let needs = &mut unit.functions[index].needs;
            let before = needs.len();
            needs.extend(more);
            grown |= needs.len() > before;
        }
        if !grown {
            return;
        }
    }
}

fn choose_strategies(unit: &mut Unit) {
    for function in &mut unit.functions {
        function.strategy = match (function.variable, function.needs.is_empty()) {
            (None, _) => Strategy::Closure,
            (Some(_), true) => Strategy::Global,
            (Some(_), false) if !function.escapes && !function.counts => {
                Strategy::GlobalWithEnvironment
            }
            (Some(_), false) => Strategy::Closure,
        };
    }
}

/// Gives captured variables their places in the environments.
fn place_variables(unit: &mut Unit) {
    for index in 0..unit.variables.len() {
        if unit.variables[index].captured {
            let scope = unit.variables[index].scope;
            let id = VariableId(index as u32);
            unit.scopes[scope.index()].captured.push(id);
        }
    }
}

impl Unit {
    /// Whether a scope has an environment.
    pub fn has_environment(&self, scope: ScopeId) -> bool {
        !self.scope(scope).captured.is_empty()
    }

    /// The scopes from one outwards.
    fn scopes_from(&self, scope: Option<ScopeId>) -> impl Iterator<Item = ScopeId> + '_ {
        std::iter::successors(scope, |&scope| self.scope(scope).parent)
    }

    /// The environment that a function gets: that of the innermost scope it needs.
    pub fn environment_of(&self, function: FunctionId) -> Option<ScopeId> {
        let function = self.function(function);
        self.scopes_from(function.outer)
            .find(|scope| function.needs.contains(scope))
    }

    /// The environment around that of a scope.
    pub fn environment_around(&self, scope: ScopeId) -> Option<ScopeId> {
        let function = self.scope(scope).function;
        self.scopes_from(self.scope(scope).parent)
            .take_while(|&outer| self.scope(outer).function == function)
            .find(|&outer| self.has_environment(outer))
            .or_else(|| self.environment_of(function))
    }
}

/// Decides which environments know those around them.
fn link_environments(unit: &mut Unit) {
    for index in 0..unit.functions.len() {
        let id = FunctionId(index as u32);
        let mut missing = unit.function(id).needs.len();
        let mut at = unit.environment_of(id);
        while let Some(scope) = at {
            missing -= usize::from(unit.function(id).needs.contains(&scope));
            if missing == 0 {
                break;
            }
            unit.scopes[scope.index()].linked = true;
            at = unit.environment_around(scope);
        }
    }
}
