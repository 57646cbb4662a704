;;;; Arithmetic of all kinds of numbers: what the machine's instructions leave to
;;;; Lisp, because an operand is neither an integer of 32 bits nor a float, or the
;;;; result would not be.

(defun si:direct-number-p (object)
  "Whether the machine calculates with it."
  (or (si:fixnump object) (floatp object)))

(defun si:check-number (object)
  (unless (numberp object)
    (si:wrong-type object 'number)))

(defun si:check-integer (object)
  (unless (integerp object)
    (si:wrong-type object 'integer)))

(defun si:division-by-zero (number)
  (error 'division-by-zero :operation '/ :operands (list number 0)))

;;; Floats.

(defun si:float-trap (operation a b)
  "An operation on numbers one of which is not the machine's, or whose result is not
finite."
  (si:check-number a)
  (si:check-number b)
  (cond ((and (si:direct-number-p a) (si:direct-number-p b))
         (if (and (eq operation '/) (eql (float b) 0.0))
             (si:division-by-zero a)
             (error 'floating-point-overflow :operation operation :operands (list a b))))
        ((eq operation '+) (si:float-plus (float a) (float b)))
        ((eq operation '-) (si:float-difference (float a) (float b)))
        ((eq operation '*) (si:float-times (float a) (float b)))
        (t (si:float-quotient (float a) (float b)))))

(defun rational (number)
  "The exact value of a number as an integer or ratio."
  (if (floatp number)
      (multiple-value-bind (mantissa exponent sign) (integer-decode-float number)
        (if (< exponent 0)
            (si:ratio (* sign mantissa) (ash 1 (- exponent)))
            (* sign (ash mantissa exponent))))
      number))

;;; Ratios: two integers without common divisor, the second of them greater than 1.

(defun numerator (rational)
  "The integer above the line."
  (cond ((integerp rational) rational)
        ((si:ratiop rational) (si:ratio-numerator rational))
        (t (si:wrong-type rational 'rational))))

(defun denominator (rational)
  "The integer below the line."
  (cond ((integerp rational) 1)
        ((si:ratiop rational) (si:ratio-denominator rational))
        (t (si:wrong-type rational 'rational))))

(defun si:greatest-common-divisor (a b)
  (do () ((eql b 0) (if (< a 0) (- 0 a) a))
    (let ((remainder (si:remainder a b)))
      (setq a b b remainder))))

(defun si:ratio (numerator denominator)
  "The quotient of two integers."
  (when (eql denominator 0)
    (si:division-by-zero numerator))
  (let ((divisor (si:greatest-common-divisor numerator denominator)))
    (when (< denominator 0)
      (setq divisor (- 0 divisor)))
    (let ((above (si:quotient numerator divisor))
          (below (si:quotient denominator divisor)))
      (if (eql below 1)
          above
          (si:make-ratio above below)))))

(defun si:ratio-operation (function a b)
  "Calls FUNCTION with numerators brought to the same denominator, and that."
  (si:check-number a)
  (si:check-number b)
  (let ((below-a (denominator a)) (below-b (denominator b)))
    (funcall function
             (* (numerator a) below-b)
             (* (numerator b) below-a)
             (* below-a below-b))))

;;; Operations on any numbers.

(defun si:generic-+ (a b)
  (cond ((and (integerp a) (integerp b)) (si:add-integers a b))
        ((or (floatp a) (floatp b)) (si:float-trap '+ a b))
        (t (si:ratio-operation #'(lambda (a b below) (si:ratio (+ a b) below)) a b))))

(defun si:generic-- (a b)
  (cond ((and (integerp a) (integerp b)) (si:subtract-integers a b))
        ((or (floatp a) (floatp b)) (si:float-trap '- a b))
        (t (si:ratio-operation #'(lambda (a b below) (si:ratio (- a b) below)) a b))))

(defun si:generic-* (a b)
  (cond ((and (integerp a) (integerp b)) (si:multiply-integers a b))
        ((or (floatp a) (floatp b)) (si:float-trap '* a b))
        (t
         (si:check-number a)
         (si:check-number b)
         (si:ratio (* (numerator a) (numerator b))
                   (* (denominator a) (denominator b))))))

(defun si:divide (a b)
  "The quotient of two numbers."
  (cond ((and (integerp a) (integerp b)) (si:ratio a b))
        ((or (floatp a) (floatp b)) (si:float-quotient a b))
        (t
         (si:check-number a)
         (si:check-number b)
         (si:ratio (* (numerator a) (denominator b))
                   (* (denominator a) (numerator b))))))

(defun si:generic-quotient (a b)
  "Division as the machine knows it: that of integers gives an integer."
  (cond ((and (integerp a) (integerp b)) (si:integer-quotient a b))
        ((or (floatp a) (floatp b)) (si:float-trap '/ a b))
        (t (si:divide a b))))

(defun si:integer-quotient (a b)
  (values (si:divide-integers (si:integer-part a) (si:integer-part b))))

(defun si:integer-remainder (a b)
  (if (and (integerp a) (integerp b))
      (multiple-value-bind (quotient remainder) (si:divide-integers a b)
        remainder)
      (multiple-value-bind (quotient remainder) (truncate a b)
        remainder)))

;;; Comparison.

(defun si:compare (a b)
  "1, 0 or -1 for two numbers, by their exact values."
  (si:check-number a)
  (si:check-number b)
  (let ((a (rational a)) (b (rational b)))
    (if (and (integerp a) (integerp b))
        (si:compare-integers a b)
        (si:ratio-operation #'(lambda (a b below) (si:compare-integers a b)) a b))))

(defun si:generic-> (a b)
  (> (si:compare a b) 0))

(defun si:generic-= (a b)
  (eql (si:compare a b) 0))

(defun si:generic-eql (a b)
  "Whether two numbers of one type, but neither machine integers nor floats, are the
same."
  (cond ((si:bignump a) (eql (si:compare-integers a b) 0))
        ((si:ratiop a)
         (and (eql (numerator a) (numerator b))
              (eql (denominator a) (denominator b))))
        (t nil)))

;;; Bits.

(defun si:generic-ash (integer count)
  (si:check-integer integer)
  (cond ((not (si:fixnump count)) (si:wrong-type count 'fixnum))
        ((>= count 0) (si:shift-left integer count))
        (t (si:shift-right integer (- 0 count)))))

(defun si:generic-logand (a b)
  (si:check-integer a)
  (si:check-integer b)
  (si:combine-bits #'logand a b))

(defun si:generic-logior (a b)
  (si:check-integer a)
  (si:check-integer b)
  (si:combine-bits #'logior a b))

(defun si:generic-logxor (a b)
  (si:check-integer a)
  (si:check-integer b)
  (si:combine-bits #'logxor a b))
