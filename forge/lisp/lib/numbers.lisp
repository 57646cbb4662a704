;;;; Functions of numbers.

(defconstant most-positive-fixnum 2147483647)
(defconstant most-negative-fixnum -2147483648)

(defun zerop (number)
  "Whether a number is zero."
  (= number 0))

(defun plusp (number)
  "Whether a number is greater than zero."
  (> number 0))

(defun minusp (number)
  "Whether a number is less than zero."
  (< number 0))

(defun evenp (integer)
  "Whether an integer is divisible by 2."
  (eql (logand integer 1) 0))

(defun oddp (integer)
  "Whether an integer is not divisible by 2."
  (not (evenp integer)))

(defun rationalp (object)
  "Whether it is an integer or a ratio."
  (or (integerp object) (si:ratiop object)))

(defun realp (object)
  "Whether it is a number."
  (numberp object))

(defun abs (number)
  "The number without its sign."
  (if (< number 0) (- 0 number) number))

(defun signum (number)
  "-1, 0 or 1, as a number of the same kind."
  (cond ((= number 0) number)
        ((floatp number) (if (< number 0) -1.0 1.0))
        (t (if (< number 0) -1 1))))

(defmacro si:define-extreme (name comparison documentation)
  "Defines MAX or MIN. Only of more than two numbers there is a list."
  `(defun ,name (number &optional (other number) &rest more)
     ,documentation
     (si:check-number number)
     (do ()
         (nil)
       (when (,comparison other number)
         (setq number other))
       (if (null more)
           (return number))
       (setq other (pop more)))))

(si:define-extreme max > "The greatest number.")
(si:define-extreme min < "The least number.")

(defun / (number &optional (divisor 1 divided) &rest more)
  "The first number divided by the others, or 1 divided by the only one."
  (if divided
      (let ((result (si:divide number divisor)))
        (dolist (divisor more result)
          (setq result (si:divide result divisor))))
      (si:divide 1 number)))

;;; Division to integers.

(defun si:integer-part (number)
  "A number without its fraction."
  (cond ((integerp number) number)
        ((si:ratiop number) (si:quotient (numerator number) (denominator number)))
        ((floatp number)
         (multiple-value-bind (mantissa exponent sign) (integer-decode-float number)
           (* sign (ash mantissa exponent))))
        (t (si:wrong-type number 'number))))

(defun truncate (number &optional (divisor 1))
  "The quotient rounded to zero, and the remainder."
  (if (and (si:fixnump number) (si:fixnump divisor))
      (values (si:quotient number divisor) (si:remainder number divisor))
      (if (and (integerp number) (integerp divisor))
          (si:divide-integers number divisor)
          (let ((quotient (si:integer-part (/ number divisor))))
            (values quotient (- number (* quotient divisor)))))))

(defun floor (number &optional (divisor 1))
  "The quotient rounded down, and the remainder."
  (multiple-value-bind (quotient remainder) (truncate number divisor)
    (if (or (= remainder 0)
            (eq (< remainder 0) (< divisor 0)))
        (values quotient remainder)
        (values (- quotient 1) (+ remainder divisor)))))

(defun ceiling (number &optional (divisor 1))
  "The quotient rounded up, and the remainder."
  (multiple-value-bind (quotient remainder) (truncate number divisor)
    (if (or (= remainder 0)
            (not (eq (< remainder 0) (< divisor 0))))
        (values quotient remainder)
        (values (+ quotient 1) (- remainder divisor)))))

(defun round (number &optional (divisor 1))
  "The quotient rounded to the nearest integer, an even one if there are two, and the
remainder."
  (multiple-value-bind (quotient remainder) (floor number divisor)
    (let ((twice (* 2 (abs remainder)))
          (size (abs divisor)))
      (if (or (> twice size)
              (and (= twice size) (oddp quotient)))
          (values (+ quotient 1) (- remainder divisor))
          (values quotient remainder)))))

(defun mod (number divisor)
  "The remainder of a division rounded down."
  (multiple-value-bind (quotient remainder) (floor number divisor)
    remainder))

(defun rem (number divisor)
  "The remainder of a division rounded to zero."
  (si:remainder number divisor))

(defun si:float-first (values)
  (values (float (car values)) (cadr values)))

(defun ffloor (number &optional (divisor 1))
  "FLOOR with a float as quotient."
  (si:float-first (multiple-value-list (floor number divisor))))

(defun ftruncate (number &optional (divisor 1))
  "TRUNCATE with a float as quotient."
  (si:float-first (multiple-value-list (truncate number divisor))))

(defun fround (number &optional (divisor 1))
  "ROUND with a float as quotient."
  (si:float-first (multiple-value-list (round number divisor))))

(defun fceiling (number &optional (divisor 1))
  "CEILING with a float as quotient."
  (si:float-first (multiple-value-list (ceiling number divisor))))

;;; Divisors, powers and roots.

(defun gcd (&rest integers)
  "The greatest common divisor."
  (let ((divisor 0))
    (dolist (integer integers divisor)
      (si:check-integer integer)
      (setq divisor (si:greatest-common-divisor integer divisor)))))

(defun lcm (&rest integers)
  "The least common multiple."
  (let ((multiple 1))
    (dolist (integer integers multiple)
      (si:check-integer integer)
      (when (eql integer 0)
        (return 0))
      (setq multiple (abs (* multiple (si:quotient integer (gcd multiple integer))))))))

(defun si:integer-power (base exponent)
  (when (and (rationalp base) (not (member base '(0 1 -1))))
    (si:check-bits (* exponent (max (integer-length (numerator base))
                                    (integer-length (denominator base))))))
  (let ((power 1))
    (do () ((eql exponent 0) power)
      (when (oddp exponent)
        (setq power (* power base)))
      (setq exponent (ash exponent -1))
      (unless (eql exponent 0)
        (setq base (* base base))))))

(defun expt (base exponent)
  "The base to the power of the exponent."
  (cond ((and (integerp exponent) (>= exponent 0))
         (let ((power (si:integer-power base exponent)))
           (if (floatp base) (float power) power)))
        ((integerp exponent) (/ 1 (si:integer-power base (- 0 exponent))))
        ((= base 0) (float 0))
        (t (exp (* exponent (log base))))))

(defun isqrt (integer)
  "The greatest integer whose square is not greater."
  (si:check-integer integer)
  (when (< integer 0)
    (si:wrong-type integer '(integer 0)))
  (if (eql integer 0)
      0
      (let ((root (ash 1 (ash (+ (integer-length integer) 1) -1)))
            (next 0))
        (do () (nil)
          (setq next (ash (+ root (si:quotient integer root)) -1))
          (when (>= next root)
            (return root))
          (setq root next)))))

;;; Bits.

(defun lognot (integer)
  "All bits reversed."
  (- -1 integer))

(defun logandc2 (a b)
  "The bits of A that are not in B."
  (logand a (lognot b)))

(defun logtest (a b)
  "Whether the integers have a bit in common."
  (not (eql (logand a b) 0)))

(defun logbitp (index integer)
  "Whether the bit with that number is set."
  (oddp (ash integer (- 0 index))))

(defun integer-length (integer)
  "How many bits an integer has without its sign."
  (si:check-integer integer)
  (si:bignum-length (if (< integer 0) (lognot integer) integer)))

(defun logcount (integer)
  "How many bits are set in a positive integer, or not set in a negative one."
  (let ((count 0))
    (dolist (digit (si:magnitude (if (< integer 0) (lognot integer) integer)) count)
      (do () ((eql digit 0))
        (setq digit (logand digit (- digit 1)))
        (setq count (+ count 1))))))

;;; Chance: multiples of 16807 modulo the prime 2^31 - 1.

(defvar si:*random* 20011 "The last number.")

(defun si:next-random ()
  "A number from 1 to 2^31 - 2."
  (let* ((high (si:quotient si:*random* 127773))
         (low (- si:*random* (* high 127773)))
         (next (- (* 16807 low) (* 2836 high))))
    (setq si:*random* (if (> next 0) next (+ next 2147483647)))))

(defun random (limit)
  "A number from 0 to less than LIMIT, by chance."
  (cond ((floatp limit) (* limit (/ (ash (si:next-random) -7) 16777216.0)))
        ((<= limit 65536) (si:remainder (ash (si:next-random) -8) limit))
        (t (let ((number 0))
             (dotimes (time (+ 1 (si:quotient (integer-length limit) 16)))
               (setq number (+ (ash number 16) (logand 65535 (ash (si:next-random) -8)))))
             (si:remainder number limit)))))
