//! Jumps and returns.

use super::*;

impl Translator<'_, '_> {
    pub(super) fn jump(&mut self, step: &Step) {
        let Effect::Jump { conditional, keeps } = step.effect else {
            return;
        };
        let pc = step.instruction.offset;
        let target = step.instruction.target().unwrap_or(0) as u32;
        if !self.places.contains_key(&target) || !self.unit.flow.at.contains_key(&target) {
            return self.leave(step);
        }
        let polls = target <= pc || self.host.is_exact;
        if !conditional {
            if polls {
                self.poll(step);
            }
            self.state.pending += 1;
            return self.go_to(target);
        }
        let handler = step.instruction.opcode.info().handler;
        let if_true = handler.starts_with('t') || handler.starts_with("nt");
        let slot = self.slot(0);
        let taken = self.builder.create_block();
        let not_taken = self.builder.create_block();
        let (then, otherwise) = if if_true {
            (taken, not_taken)
        } else {
            (not_taken, taken)
        };
        let test = match slot {
            Slot::Value(value, _) => self.state.known.test(value),
            _ => None,
        };
        match slot {
            Slot::Condition(condition) => {
                self.builder
                    .ins()
                    .brif(condition, then, &[], otherwise, &[]);
            }
            Slot::Constant(0) => {
                self.builder.ins().jump(otherwise, &[]);
            }
            slot if self.kind_of(slot) != Kind::Any => {
                // A number is not NIL.
                self.builder.ins().jump(then, &[]);
            }
            slot => {
                let value = test.map_or_else(|| self.value_of(slot), |test| test.holds);
                self.builder.ins().brif(value, then, &[], otherwise, &[]);
            }
        }
        let mut before = self.state.clone();
        if let Some(test) = test {
            let state = if if_true {
                &mut self.state
            } else {
                &mut before
            };
            state.know_list(&test);
        }
        self.builder.switch_to_block(taken);
        if keeps && let Slot::Condition(_) = slot {
            let cell = if if_true { LispPtr::T.0 } else { 0 };
            let depth = self.state.stack.len() - 1;
            self.state.stack[depth].slot = Slot::Constant(cell);
        }
        if polls {
            self.poll(step);
        }
        self.state.pending += 1;
        if !keeps {
            self.pop();
        }
        self.go_to(target);
        self.builder.switch_to_block(not_taken);
        self.state = before;
        self.reachable = true;
        self.pop();
        self.state.pending += 1;
        self.go_to(step.next);
    }

    pub(super) fn return_instruction(&mut self, step: &Step) {
        if self.return_from_leaf(step) {
            return;
        }
        let link = self.load_home(home::LINK);
        let slow = self.builder.ins().band_imm_s(link, 1);
        let slowly = self.builder.create_block();
        let plainly = self.builder.create_block();
        self.builder.set_cold_block(slowly);
        self.builder.ins().brif(slow, slowly, &[], plainly, &[]);
        self.builder.switch_to_block(slowly);
        let state = self.state.clone();
        self.leave(step);
        self.state = state;
        self.reachable = true;
        self.builder.switch_to_block(plainly);
        let value = self.pop_value();
        self.state.pending += 1;
        self.count_pending();
        let status = self.builder.ins().iconst(I32, 0);
        self.builder.ins().return_(&[value, status]);
        self.reachable = false;
    }
}
