//! Arithmetic on integers of any size and single floats.

use num_bigint::{BigInt, Sign};

use crate::datum::Datum;

use super::analyse::Brief;
use super::node::{Flow, Primitive, error};
use super::{ANY, Expander, primitive};

/// Bits of an integer, at most.
const MAX_BITS: u64 = 1 << 20;

pub(super) static PRIMITIVES: &[Primitive] = &[
    primitive("+", 0, ANY, |this, a| {
        fold(this, a, 0, |x, y| x + y, |x, y| x + y)
    }),
    primitive("*", 0, ANY, |this, a| {
        fold(this, a, 1, |x, y| x * y, |x, y| x * y)
    }),
    primitive("-", 1, ANY, |this, a| match a {
        [n] => fold(
            this,
            &[Datum::integer(0), n.clone()],
            0,
            |x, y| x - y,
            |x, y| x - y,
        ),
        _ => fold(this, a, 0, |x, y| x - y, |x, y| x - y),
    }),
    primitive("1+", 1, 1, |this, a| {
        fold(
            this,
            &[a[0].clone(), Datum::integer(1)],
            0,
            |x, y| x + y,
            |x, y| x + y,
        )
    }),
    primitive("1-", 1, 1, |this, a| {
        fold(
            this,
            &[a[0].clone(), Datum::integer(1)],
            0,
            |x, y| x - y,
            |x, y| x - y,
        )
    }),
    primitive("/", 1, ANY, |_, a| match a {
        [n] => quotient(&Datum::integer(1), n),
        [first, rest @ ..] => rest
            .iter()
            .try_fold(first.clone(), |value, n| quotient(&value, n)),
        [] => Ok(Datum::integer(1)),
    }),
    primitive("FLOOR", 1, 2, |this, a| {
        divide(this, a, |q, r, d| {
            if r.sign() != Sign::NoSign && (r.sign() == Sign::Minus) != (d.sign() == Sign::Minus) {
                q - 1
            } else {
                q
            }
        })
    }),
    primitive("CEILING", 1, 2, |this, a| {
        divide(this, a, |q, r, d| {
            if r.sign() != Sign::NoSign && (r.sign() == Sign::Minus) == (d.sign() == Sign::Minus) {
                q + 1
            } else {
                q
            }
        })
    }),
    primitive("TRUNCATE", 1, 2, |this, a| divide(this, a, |q, _, _| q)),
    primitive("ROUND", 1, 2, |this, a| {
        divide(this, a, |q, r, d| {
            let away = if (r.sign() == Sign::Minus) == (d.sign() == Sign::Minus) {
                1
            } else {
                -1
            };
            let twice = r.magnitude() * 2u32;
            let odd = q.bit(0);
            if twice > *d.magnitude() || (twice == *d.magnitude() && odd) {
                q + away
            } else {
                q
            }
        })
    }),
    primitive("MOD", 2, 2, |_, a| {
        let (n, d) = (integer(&a[0])?, divisor(&a[1])?);
        let r = n % d;
        let adjust =
            r.sign() != Sign::NoSign && (r.sign() == Sign::Minus) != (d.sign() == Sign::Minus);
        Ok(Datum::Integer(if adjust { r + d } else { r }))
    }),
    primitive("REM", 2, 2, |_, a| {
        Ok(Datum::Integer(integer(&a[0])? % divisor(&a[1])?))
    }),
    primitive("=", 1, ANY, |_, a| compare(a, |x, y| x == y)),
    primitive("<", 1, ANY, |_, a| compare(a, |x, y| x < y)),
    primitive(">", 1, ANY, |_, a| compare(a, |x, y| x > y)),
    primitive("<=", 1, ANY, |_, a| compare(a, |x, y| x <= y)),
    primitive(">=", 1, ANY, |_, a| compare(a, |x, y| x >= y)),
    primitive("/=", 1, ANY, |_, a| {
        for (position, x) in a.iter().enumerate() {
            for y in &a[position + 1..] {
                if order(x, y)?.is_eq() {
                    return Ok(Datum::nil());
                }
            }
        }
        Ok(Datum::boolean(true))
    }),
    primitive("MIN", 1, ANY, |_, a| extreme(a, std::cmp::Ordering::Less)),
    primitive("MAX", 1, ANY, |_, a| {
        extreme(a, std::cmp::Ordering::Greater)
    }),
    primitive("ABS", 1, 1, |_, a| match &a[0] {
        Datum::Float(x) => Ok(Datum::Float(x.abs())),
        n => Ok(Datum::integer(integer(n)?.magnitude().clone())),
    }),
    primitive("ZEROP", 1, 1, |_, a| sign(a, std::cmp::Ordering::Equal)),
    primitive("PLUSP", 1, 1, |_, a| sign(a, std::cmp::Ordering::Greater)),
    primitive("MINUSP", 1, 1, |_, a| sign(a, std::cmp::Ordering::Less)),
    primitive("EVENP", 1, 1, |_, a| {
        Ok(Datum::boolean(!integer(&a[0])?.bit(0)))
    }),
    primitive("ODDP", 1, 1, |_, a| {
        Ok(Datum::boolean(integer(&a[0])?.bit(0)))
    }),
    primitive("LOGAND", 0, ANY, |_, a| bits(a, -1, |x, y| x & y)),
    primitive("LOGIOR", 0, ANY, |_, a| bits(a, 0, |x, y| x | y)),
    primitive("LOGXOR", 0, ANY, |_, a| bits(a, 0, |x, y| x ^ y)),
    primitive("LOGNOT", 1, 1, |_, a| {
        Ok(Datum::Integer(!integer(&a[0])?.clone()))
    }),
    primitive("LOGBITP", 2, 2, |_, a| {
        let bit = super::lists::index(&a[0])?;
        Ok(Datum::boolean(integer(&a[1])?.bit(bit as u64)))
    }),
    primitive("ASH", 2, 2, shift),
    primitive("INTEGER-LENGTH", 1, 1, |_, a| {
        let n = integer(&a[0])?;
        let bits = if n.sign() == Sign::Minus {
            (n + 1u32).bits()
        } else {
            n.bits()
        };
        Ok(Datum::integer(bits))
    }),
    primitive("EXPT", 2, 2, power),
    primitive("FLOAT", 1, 2, |_, a| float(&a[0]).map(Datum::Float)),
    primitive("SQRT", 1, 1, |_, a| checked(float(&a[0])?.sqrt())),
    primitive("NUMBERP", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(
            a[0],
            Datum::Integer(_) | Datum::Float(_)
        )))
    }),
    primitive("REALP", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(
            a[0],
            Datum::Integer(_) | Datum::Float(_)
        )))
    }),
    primitive("INTEGERP", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(a[0], Datum::Integer(_))))
    }),
    primitive("FLOATP", 1, 1, |_, a| {
        Ok(Datum::boolean(matches!(a[0], Datum::Float(_))))
    }),
];

fn integer(datum: &Datum) -> Flow<&BigInt> {
    match datum {
        Datum::Integer(n) => Ok(n),
        other => error(format!("{} is not an integer", Brief(other))),
    }
}

fn divisor(datum: &Datum) -> Flow<&BigInt> {
    let n = integer(datum)?;
    if n.sign() == Sign::NoSign {
        return error("division by zero");
    }
    Ok(n)
}

/// A number as a float.
pub(super) fn float(datum: &Datum) -> Flow<f32> {
    match datum {
        Datum::Float(x) => Ok(*x),
        Datum::Integer(n) => match n.to_string().parse::<f32>() {
            Ok(x) if x.is_finite() => Ok(x),
            _ => error("the number is too large for a float"),
        },
        other => error(format!("{} is not a number", Brief(other))),
    }
}

fn checked(x: f32) -> Flow<Datum> {
    if x.is_finite() {
        Ok(Datum::Float(x))
    } else {
        error("the result is not a number that a float can be")
    }
}

fn fold(
    this: &mut Expander,
    a: &[Datum],
    none: i32,
    integers: fn(&BigInt, &BigInt) -> BigInt,
    floats: fn(f32, f32) -> f32,
) -> Flow<Datum> {
    let Some((first, rest)) = a.split_first() else {
        return Ok(Datum::integer(none));
    };
    let mut value = first.clone();
    if !matches!(value, Datum::Integer(_) | Datum::Float(_)) {
        return error(format!("{} is not a number", Brief(first)));
    }
    for operand in rest {
        value = match (&value, operand) {
            (Datum::Integer(x), Datum::Integer(y)) => {
                let bits = x.bits() + y.bits();
                if bits > MAX_BITS {
                    return error("the number is too large");
                }
                this.charge((bits / 256) as usize)?;
                Datum::Integer(integers(x, y))
            }
            (x, y) => checked(floats(float(x)?, float(y)?))?,
        };
    }
    Ok(value)
}

fn quotient(x: &Datum, y: &Datum) -> Flow<Datum> {
    match (x, y) {
        (Datum::Integer(n), Datum::Integer(_)) => {
            let d = divisor(y)?;
            if (n % d).sign() != Sign::NoSign {
                return error(format!(
                    "{x} / {y} is not an integer, and there are no ratios"
                ));
            }
            Ok(Datum::Integer(n / d))
        }
        _ => checked(float(x)? / float(y)?),
    }
}

/// A quotient, made from the truncated one with its remainder, and the remainder as
/// second value.
fn divide(
    this: &mut Expander,
    a: &[Datum],
    adjust: fn(BigInt, &BigInt, &BigInt) -> BigInt,
) -> Flow<Datum> {
    let one = BigInt::from(1);
    let n = integer(&a[0])?;
    let d = match a.get(1) {
        Some(d) => divisor(d)?,
        None => &one,
    };
    let quotient = adjust(n / d, &(n % d), d);
    let remainder = n - &quotient * d;
    let quotient = Datum::Integer(quotient);
    this.more_values = Some(vec![quotient.clone(), Datum::Integer(remainder)]);
    Ok(quotient)
}

fn order(x: &Datum, y: &Datum) -> Flow<std::cmp::Ordering> {
    match (x, y) {
        (Datum::Integer(x), Datum::Integer(y)) => Ok(x.cmp(y)),
        _ => Ok(float(x)?.total_cmp(&float(y)?)),
    }
}

fn compare(a: &[Datum], holds: fn(i32, i32) -> bool) -> Flow<Datum> {
    if let [single] = a {
        float(single)?;
    }
    for pair in a.windows(2) {
        if !holds(order(&pair[0], &pair[1])? as i32, 0) {
            return Ok(Datum::nil());
        }
    }
    Ok(Datum::boolean(true))
}

fn extreme(a: &[Datum], wanted: std::cmp::Ordering) -> Flow<Datum> {
    let mut best = &a[0];
    for number in a {
        if order(number, best)? == wanted {
            best = number;
        }
    }
    Ok(best.clone())
}

fn sign(a: &[Datum], wanted: std::cmp::Ordering) -> Flow<Datum> {
    let zero = match &a[0] {
        Datum::Float(_) => Datum::Float(0.0),
        _ => Datum::integer(0),
    };
    Ok(Datum::boolean(order(&a[0], &zero)? == wanted))
}

fn bits(a: &[Datum], none: i32, operate: fn(BigInt, &BigInt) -> BigInt) -> Flow<Datum> {
    let mut value = BigInt::from(none);
    for operand in a {
        value = operate(value, integer(operand)?);
    }
    Ok(Datum::Integer(value))
}

fn shift(_: &mut Expander, a: &[Datum]) -> Flow<Datum> {
    let n = integer(&a[0])?;
    let Ok(count) = i64::try_from(integer(&a[1])?) else {
        return error("ASH by too much");
    };
    if count > 0 {
        if n.bits() + count.unsigned_abs() > MAX_BITS {
            return error("the number is too large");
        }
        Ok(Datum::Integer(n << count))
    } else {
        Ok(Datum::Integer(n >> count.unsigned_abs()))
    }
}

fn power(this: &mut Expander, a: &[Datum]) -> Flow<Datum> {
    let exponent = integer(&a[1])?;
    if let Datum::Integer(base) = &a[0] {
        let Ok(exponent) = u32::try_from(exponent) else {
            return error(format!("EXPT with the exponent {exponent}"));
        };
        let bits = base.bits().saturating_mul(u64::from(exponent));
        if bits > MAX_BITS {
            return error("the number is too large");
        }
        this.charge((bits / 64) as usize)?;
        return Ok(Datum::Integer(base.pow(exponent)));
    }
    let Ok(exponent) = i32::try_from(exponent) else {
        return error(format!("EXPT with the exponent {exponent}"));
    };
    checked(float(&a[0])?.powi(exponent))
}
