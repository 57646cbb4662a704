;;;; Square roots, exponentials, logarithms and the functions of angles, in single
;;;; precision: the argument is reduced to a small one, for which a few terms of the
;;;; series are enough.

(defun si:polynomial (x coefficients)
  "Horner's rule; the coefficient of the highest power comes first."
  (let ((value 0.0))
    (dolist (coefficient coefficients value)
      (setq value (+ (* value x) coefficient)))))

(defun sqrt (number)
  "The square root, a float."
  (let ((x (float number)))
    (cond ((< x 0.0)
           (error "~S has no square root: there are no complex numbers." number))
          ((= x 0.0) x)
          (t
           (multiple-value-bind (mantissa exponent) (decode-float x)
             ;; A guess with half the exponent, and Newton's method.
             (let ((root (scale-float (+ 0.5 (* 0.5 mantissa)) (ash exponent -1))))
               (dotimes (time 4)
                 (setq root (* 0.5 (+ root (/ x root)))))
               (+ root (/ (si:minus-square x root) (* 2.0 root)))))))))

(defun si:minus-square (x y)
  "X - Y * Y without error when they are nearly equal: Y is cut in halves, whose
products are exact."
  (let* ((shifted (* y 4097.0))
         (high (- shifted (- shifted y)))
         (low (- y high)))
    (- (- (- x (* high high)) (* 2.0 high low)) (* low low))))

(defun exp (number)
  "E to the power of the number."
  (let* ((x (float number))
         (power (round (* (max -200.0 (min x 200.0)) 1.442695)))
         ;; The logarithm of 2 in two parts, the first exact in few bits.
         (rest (- (- x (* power 0.693359375)) (* power -2.12194440e-4))))
    (if (< x -150.0)
        0.0
        (scale-float (si:polynomial rest '(1.9841270e-4 1.3888889e-3 8.3333333e-3
                                           4.1666668e-2 0.16666667 0.5 1.0 1.0))
                     power))))

(defun si:natural-logarithm (number)
  (let ((x (float number)))
    (unless (> x 0.0)
      (error "~S has no logarithm." number))
    (multiple-value-bind (mantissa exponent) (decode-float x)
      (when (< mantissa 0.70710677)
        (setq mantissa (* 2.0 mantissa) exponent (- exponent 1)))
      ;; log ((1 + s) / (1 - s)) = 2 (s + s^3/3 + s^5/5 + ...)
      (let* ((s (/ (- mantissa 1.0) (+ mantissa 1.0)))
             (square (* s s))
             (series (* 2.0 s square
                        (si:polynomial square '(0.11111111 0.14285715 0.2 0.33333334)))))
        (+ (* exponent 0.693359375)
           (+ (* 2.0 s) (+ series (* exponent -2.12194440e-4))))))))

(defun log (number &optional (base nil base-p))
  "The logarithm, the natural one unless there is a base."
  (if base-p
      (/ (si:natural-logarithm number) (si:natural-logarithm base))
      (si:natural-logarithm number)))

;;; Angles.

(defun si:sine-series (x)
  (let ((square (* x x)))
    (+ x (* x square (si:polynomial square '(2.7557319e-6 -1.9841270e-4
                                             8.3333333e-3 -0.16666667))))))

(defun si:cosine-series (x)
  (let ((square (* x x)))
    (- 1.0 (* square (si:polynomial square '(2.7557319e-7 -2.4801587e-5
                                             1.3888889e-3 -4.1666668e-2 0.5))))))

(defun si:sine (x quarters)
  "The sine of an angle that has grown by a number of right angles."
  (when (> (abs x) 1.0e6)
    (error "The angle ~S is too large." x))
  (let* ((turns (round (* x 0.63661975)))
         ;; A right angle in three parts, the first two exact in few bits.
         (rest (- (- (- x (* turns 1.5703125)) (* turns 4.8375130e-4))
                  (* turns 7.5497900e-8))))
    (case (mod (+ turns quarters) 4)
      (0 (si:sine-series rest))
      (1 (si:cosine-series rest))
      (2 (- 0.0 (si:sine-series rest)))
      (t (- 0.0 (si:cosine-series rest))))))

(defun sin (angle)
  "The sine of an angle."
  (si:sine (float angle) 0))

(defun cos (angle)
  "The cosine of an angle."
  (si:sine (float angle) 1))

(defun tan (angle)
  "The tangent of an angle."
  (/ (sin angle) (cos angle)))

(defun si:arc-tangent (x)
  (cond ((< x 0.0) (- 0.0 (si:arc-tangent (- 0.0 x))))
        ((> x 2.4142137)
         (- 1.5707964 (si:arc-tangent (/ 1.0 x))))
        ((> x 0.41421357)
         (+ 0.7853982 (si:arc-tangent (/ (- x 1.0) (+ x 1.0)))))
        (t
         (let ((square (* x x)))
           (- x (* x square
                   (si:polynomial square '(0.05263158 -0.05882353 0.06666667 -0.07692308
                                           0.09090909 -0.11111111 0.14285715 -0.2
                                           0.33333334))))))))

(defun atan (y &optional (x nil x-p))
  "The angle with that tangent, or of the point with these coordinates."
  (if (not x-p)
      (si:arc-tangent (float y))
      (let ((y (float y)) (x (float x)))
        (cond ((> x 0.0) (si:arc-tangent (/ y x)))
              ((= x 0.0)
               (cond ((> y 0.0) 1.5707964)
                     ((< y 0.0) -1.5707964)
                     (t 0.0)))
              ((>= y 0.0) (+ 3.1415927 (si:arc-tangent (/ y x))))
              (t (- (si:arc-tangent (/ y x)) 3.1415927))))))

(defun asin (number)
  "The angle with that sine."
  (let ((x (float number)))
    (atan x (sqrt (* (- 1.0 x) (+ 1.0 x))))))

(defun acos (number)
  "The angle with that cosine."
  (let ((x (float number)))
    (atan (sqrt (* (- 1.0 x) (+ 1.0 x))) x)))
