;;;; Integers of any size.
;;;;
;;;; A magnitude is a list of digits of 14 bits, the least significant first, with
;;;; none but a non-zero one at the end; NIL is zero. Products of two digits and sums
;;;; of a few of them are integers of 32 bits, which the machine handles. A number
;;;; beyond 32 bits is a BIGNUM, a cell with the list of its digits, all of them
;;;; negative or zero if the number is negative.

(defconstant si:+digit-bits+ 14)
(defconstant si:+digit-base+ 16384)
(defconstant si:+digit-mask+ 16383)

(defmacro si:high-part (number)
  "What is carried to the next digit."
  `(si:shift ,number -14))

(defmacro si:low-part (number)
  `(logand ,number 16383))

;;; Between integers and magnitudes.

(defun si:negative-p (integer)
  "Whether an integer of any size is negative."
  (if (si:bignump integer)
      (dolist (digit (si:bignum-digits integer) nil)
        (cond ((< digit 0) (return t))
              ((> digit 0) (return nil))))
      (< integer 0)))

(defun si:absolute-digits (digits)
  (let ((result nil))
    (dolist (digit digits (nreverse result))
      (push (if (< digit 0) (- 0 digit) digit) result))))

(defun si:magnitude (integer)
  "The digits of the absolute value."
  (if (si:bignump integer)
      (si:absolute-digits (si:bignum-digits integer))
      (let ((digits nil))
        ;; The least integer of 32 bits has no opposite.
        (do () ((eql integer 0))
          (push (si:remainder integer si:+digit-base+) digits)
          (setq integer (si:quotient integer si:+digit-base+)))
        (si:absolute-digits (nreverse digits)))))

(defun si:small-magnitude-p (digits negative)
  "Whether the number has 32 bits."
  (let ((third (caddr digits)))
    (cond ((null third) t)
          ((cdddr digits) nil)
          ((< third 8) t)
          (t (and negative (eql third 8) (eql (car digits) 0) (eql (cadr digits) 0))))))

(defun si:integer-of (digits negative)
  "The integer with that magnitude and sign."
  (cond ((si:small-magnitude-p digits negative)
         (let ((sign (if negative -1 1))
               (number 0))
           (dolist (digit (reverse digits) number)
             (setq number (+ (* number si:+digit-base+) (* sign digit))))))
        (negative
         (si:make-bignum (mapcar #'(lambda (digit) (- 0 digit)) digits)))
        (t (si:make-bignum digits))))

(defun si:trim (digits)
  "Takes zeros off the end of a list of digits."
  (let ((last nil))
    (do ((cell digits (cdr cell)))
        ((null cell))
      (unless (eql (car cell) 0)
        (setq last cell)))
    (if last
        (progn (rplacd last nil) digits)
        nil)))

;;; Arithmetic of magnitudes.

(defun si:compare-magnitudes (a b)
  "1, 0 or -1."
  (let ((order 0))
    (do ()
        ((or (null a) (null b))
         (cond (a 1) (b -1) (t order)))
      (cond ((> (car a) (car b)) (setq order 1))
            ((< (car a) (car b)) (setq order -1)))
      (setq a (cdr a) b (cdr b)))))

(defun si:add-magnitudes (a b)
  (let ((carry 0) (sum nil))
    (do ()
        ((and (null a) (null b)))
      (let ((digit (+ carry (or (car a) 0) (or (car b) 0))))
        (push (si:low-part digit) sum)
        (setq carry (si:high-part digit))
        (setq a (cdr a) b (cdr b))))
    (unless (eql carry 0)
      (push carry sum))
    (nreverse sum)))

(defun si:subtract-magnitudes (a b)
  "A is not less than B."
  (let ((borrow 0) (difference nil))
    (do ()
        ((null a))
      (let ((digit (- (car a) (or (car b) 0) borrow)))
        (if (< digit 0)
            (setq digit (+ digit si:+digit-base+) borrow 1)
            (setq borrow 0))
        (push digit difference)
        (setq a (cdr a) b (cdr b))))
    (si:trim (nreverse difference))))

(defun si:add-product (result digits factor)
  "Adds the digits times a factor of one digit to the digits of RESULT in place."
  (let ((carry 0))
    (do ()
        ((null digits))
      (let ((sum (+ (car result) (* (car digits) factor) carry)))
        (rplaca result (si:low-part sum))
        (setq carry (si:high-part sum))
        (setq digits (cdr digits) result (cdr result))))
    (do ()
        ((eql carry 0))
      (let ((sum (+ (car result) carry)))
        (rplaca result (si:low-part sum))
        (setq carry (si:high-part sum))
        (setq result (cdr result))))))

(defun si:multiply-magnitudes (a b)
  (let* ((product (make-list (+ (length a) (length b)) :initial-element 0))
         (place product))
    (dolist (digit a (si:trim product))
      (si:add-product place b digit)
      (setq place (cdr place)))))

(defun si:divide-by-digit (digits divisor)
  "Quotient and remainder, a number."
  (let ((quotient nil) (remainder 0))
    (dolist (digit (reverse digits))
      (let ((part (+ (* remainder si:+digit-base+) digit)))
        (push (si:quotient part divisor) quotient)
        (setq remainder (si:remainder part divisor))))
    (values (si:trim quotient) remainder)))

(defun si:digit-vector (digits size)
  "A vector of SIZE digits, the digits and zeros behind them."
  (let ((vector (make-array size :initial-element 0))
        (index 0))
    (dolist (digit digits vector)
      (setf (svref vector index) digit)
      (setq index (+ index 1)))))

(defun si:digits-in (vector count)
  "The magnitude that is in the first digits of a vector."
  (let ((digits nil))
    (dotimes (index count)
      (push (svref vector index) digits))
    (si:trim (nreverse digits))))

(defun si:guess-digit (u place v size)
  "The digit of the quotient, or one more: from two digits of the divisor and three
of the dividend (Knuth, The Art of Computer Programming, 4.3.1, algorithm D)."
  (let* ((top (svref v (- size 1)))
         (next (svref v (- size 2)))
         (dividend (+ (* (svref u (+ place size)) si:+digit-base+)
                      (svref u (+ place size -1))))
         (guess (si:quotient dividend top))
         (rest (- dividend (* guess top))))
    (do ()
        ((and (< guess si:+digit-base+)
              (<= (* guess next)
                  (+ (* rest si:+digit-base+) (svref u (+ place size -2))))))
      (setq guess (- guess 1))
      (setq rest (+ rest top))
      (when (>= rest si:+digit-base+)
        (return nil)))
    guess))

(defun si:subtract-product (u place v size factor)
  "Subtracts V times a digit from the digits of U from PLACE; whether the result is
negative, which then is a complement."
  (let ((borrow 0))
    (dotimes (index size)
      (let ((digit (- (svref u (+ place index)) borrow (* factor (svref v index)))))
        (setf (svref u (+ place index)) (si:low-part digit))
        (setq borrow (- 0 (si:high-part digit)))))
    (let ((digit (- (svref u (+ place size)) borrow)))
      (setf (svref u (+ place size)) (si:low-part digit))
      (< digit 0))))

(defun si:add-back (u place v size)
  (let ((carry 0))
    (dotimes (index size)
      (let ((digit (+ (svref u (+ place index)) (svref v index) carry)))
        (setf (svref u (+ place index)) (si:low-part digit))
        (setq carry (si:high-part digit))))
    (setf (svref u (+ place size))
          (si:low-part (+ (svref u (+ place size)) carry)))))

(defun si:divide-long (a b)
  "Division by two digits or more."
  (let* ((size (length b))
         (places (- (length a) size))
         ;; The guesses are good if the first digit of the divisor is large.
         (scale (si:quotient si:+digit-base+ (+ (car (last b)) 1)))
         (factor (list scale))
         (u (si:digit-vector (si:multiply-magnitudes a factor) (+ (length a) 1)))
         (v (si:digit-vector (si:multiply-magnitudes b factor) size))
         (quotient nil))
    (do ((place places (- place 1)))
        ((< place 0))
      (let ((digit (si:guess-digit u place v size)))
        (when (si:subtract-product u place v size digit)
          (setq digit (- digit 1))
          (si:add-back u place v size))
        (push digit quotient)))
    (values (si:trim quotient)
            (values (si:divide-by-digit (si:digits-in u size) scale)))))

(defun si:divide-magnitudes (a b)
  "Quotient and remainder."
  (cond ((< (si:compare-magnitudes a b) 0) (values nil a))
        ((null (cdr b))
         (multiple-value-bind (quotient remainder) (si:divide-by-digit a (car b))
           (values quotient (si:magnitude remainder))))
        (t (si:divide-long a b))))

;;; Arithmetic of integers, as the machine's instructions for small ones do it.

(defun si:add-signed (a negative-a b negative-b)
  "The sum of magnitudes with signs."
  (cond ((eq negative-a negative-b)
         (si:integer-of (si:add-magnitudes a b) negative-a))
        ((< (si:compare-magnitudes a b) 0)
         (si:integer-of (si:subtract-magnitudes b a) negative-b))
        (t
         (si:integer-of (si:subtract-magnitudes a b) negative-a))))

(defun si:add-integers (a b)
  (si:add-signed (si:magnitude a) (si:negative-p a)
                 (si:magnitude b) (si:negative-p b)))

(defun si:subtract-integers (a b)
  (si:add-signed (si:magnitude a) (si:negative-p a)
                 (si:magnitude b) (not (si:negative-p b))))

(defun si:multiply-integers (a b)
  (si:integer-of (si:multiply-magnitudes (si:magnitude a) (si:magnitude b))
                 (not (eq (si:negative-p a) (si:negative-p b)))))

(defun si:divide-integers (a b)
  "The quotient without its fraction, and the remainder."
  (when (eql b 0)
    (si:division-by-zero a))
  (multiple-value-bind (quotient remainder)
      (si:divide-magnitudes (si:magnitude a) (si:magnitude b))
    (values (si:integer-of quotient (not (eq (si:negative-p a) (si:negative-p b))))
            (si:integer-of remainder (si:negative-p a)))))

(defun si:compare-integers (a b)
  "1, 0 or -1."
  (let ((negative (si:negative-p a)))
    (cond ((not (eq negative (si:negative-p b))) (if negative -1 1))
          (negative (si:compare-magnitudes (si:magnitude b) (si:magnitude a)))
          (t (si:compare-magnitudes (si:magnitude a) (si:magnitude b))))))

;;; Bits. A negative integer is an infinite row of ones to the left.

(defconstant si:+most-bits+ 1000000)

(defun si:check-bits (count)
  "Integers could fill all of the storage."
  (when (> count si:+most-bits+)
    (error "An integer of ~D bits is too large: ~D bits are the most."
           count si:+most-bits+)))

(defun si:shift-left (integer count)
  (si:check-bits (if (eql integer 0) 0 (+ count (integer-length integer))))
  (let ((digits (si:multiply-magnitudes
                 (si:magnitude integer)
                 (list (si:shift 1 (si:remainder count si:+digit-bits+))))))
    (unless (eql integer 0)
      (dotimes (time (si:quotient count si:+digit-bits+))
        (push 0 digits)))
    (si:integer-of (si:trim digits) (si:negative-p integer))))

(defun si:shift-right (integer count)
  (if (si:negative-p integer)
      (- -1 (si:shift-right (- -1 integer) count))
      (si:integer-of
       (values (si:divide-by-digit
                (nthcdr (si:quotient count si:+digit-bits+) (si:magnitude integer))
                (si:shift 1 (si:remainder count si:+digit-bits+))))
       nil)))

(defun si:combine-bits (function a b)
  "Combines the digits of two integers with a function of bits."
  (let* ((fill-a (if (si:negative-p a) si:+digit-mask+ 0))
         (fill-b (if (si:negative-p b) si:+digit-mask+ 0))
         (fill (funcall function fill-a fill-b))
         (digits nil))
    ;; The digits of -1 - n are the complements of those of n.
    (do ((as (si:magnitude (if (eql fill-a 0) a (- -1 a))) (cdr as))
         (bs (si:magnitude (if (eql fill-b 0) b (- -1 b))) (cdr bs)))
        ((and (null as) (null bs)))
      (push (logxor fill
                    (funcall function
                             (logxor fill-a (or (car as) 0))
                             (logxor fill-b (or (car bs) 0))))
            digits))
    (let ((result (si:integer-of (si:trim (nreverse digits)) nil)))
      (if (eql fill 0)
          result
          (- -1 result)))))

(defun si:bignum-length (integer)
  "How many bits a positive integer has."
  (let ((digits (si:magnitude integer))
        (bits 0))
    (do () ((null (cdr digits)))
      (setq digits (cdr digits))
      (setq bits (+ bits si:+digit-bits+)))
    (do ((digit (or (car digits) 0) (si:shift digit -1)))
        ((eql digit 0) bits)
      (setq bits (+ bits 1)))))
