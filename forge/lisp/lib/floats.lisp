;;;; Floats: single floats of 32 bits in two words, a sign, 8 bits of exponent and 23
;;;; of the mantissa, which has a leading one that is left out.

(defconstant pi 3.1415927)

(defconstant si:+hidden-bit+ 8388608)
(defconstant si:+least-exponent+ -149)

;;; Parts.

(defun integer-decode-float (float)
  "Mantissa, exponent of 2, and sign of a float."
  (unless (floatp float)
    (si:wrong-type float 'float))
  (let* ((high (si:float-high float))
         (exponent (logand (si:shift high -7) 255))
         (mantissa (+ (* 65536 (logand high 127)) (si:float-low float)))
         (sign (if (< high 32768) 1 -1)))
    (if (eql exponent 0)
        (values mantissa si:+least-exponent+ sign)
        (values (+ mantissa si:+hidden-bit+) (- exponent 150) sign))))

(defun si:encode-float (mantissa exponent negative)
  "The float of a mantissa of at most 24 bits."
  (let* ((normal (>= mantissa si:+hidden-bit+))
         (biased (if normal (+ exponent 150) 0)))
    (when (> biased 254)
      (error 'floating-point-overflow :operation 'float :operands nil))
    (si:make-float (+ (if negative 32768 0)
                      (* 128 biased)
                      (logand 127 (si:shift mantissa -16)))
                   (logand mantissa 65535))))

(defun si:scaled-quotient (above below shift)
  "Quotient and remainder after a shift of the numerator."
  (if (>= shift 0)
      (truncate (ash above shift) below)
      (multiple-value-bind (quotient remainder)
          (truncate above (ash below (- 0 shift)))
        ;; As much of the divisor as there is of it.
        (values quotient (si:divide remainder (ash 1 (- 0 shift)))))))

(defun si:float-of-ratio (above below)
  "The float nearest to the quotient of two integers."
  (let* ((negative (< above 0))
         (above (abs above))
         (shift (+ 24 (- (integer-length below) (integer-length above)))))
    (if (eql above 0)
        0.0
        (progn
          ;; The quotient has 24 or 25 bits: 24 are wanted.
          (when (>= (si:scaled-quotient above below shift) 16777216)
            (setq shift (- shift 1)))
          (when (> shift (- 0 si:+least-exponent+))
            (setq shift (- 0 si:+least-exponent+)))
          (multiple-value-bind (mantissa remainder)
              (si:scaled-quotient above below shift)
            (let ((twice (* 2 remainder)))
              (when (or (> twice below)
                        (and (= twice below) (oddp mantissa)))
                (setq mantissa (+ mantissa 1))
                (when (eql mantissa 16777216)
                  (setq mantissa si:+hidden-bit+ shift (- shift 1)))))
            (si:encode-float mantissa (- 0 shift) negative))))))

(defun float (number &optional prototype)
  "The number as a float."
  (cond ((floatp number) number)
        ((si:fixnump number) (si:float-of-fixnum number))
        ((si:bignump number) (si:float-of-ratio number 1))
        ((si:ratiop number) (si:float-of-ratio (numerator number) (denominator number)))
        (t (si:wrong-type number 'number))))

(defun si:biased-exponent (float)
  "The bits of a float's exponent: 0 if its leading one is not left out."
  (logand (si:shift (si:float-high float) -7) 255))

(defun si:with-exponent (float biased)
  "A float with another exponent, from 1 to 254; it had such a one, too."
  (si:make-float (+ (logand (si:float-high float) 32895) (* 128 biased))
                 (si:float-low float)))

(defun scale-float (float exponent)
  "The float times a power of 2."
  (multiple-value-bind (mantissa own-exponent sign) (integer-decode-float float)
    (let ((biased (+ (si:biased-exponent float) exponent)))
      (if (and (>= mantissa si:+hidden-bit+) (< 0 biased 255))
          (si:with-exponent float biased)
          (let ((exponent (+ own-exponent exponent)))
            (if (>= exponent 0)
                (si:float-of-ratio (* sign (ash mantissa (min exponent 300))) 1)
                (si:float-of-ratio (* sign mantissa)
                                   (ash 1 (min (- 0 exponent) 300)))))))))

(defun decode-float (float)
  "A float from 1/2 to 1, exponent of 2, and sign as a float."
  (multiple-value-bind (mantissa exponent sign) (integer-decode-float float)
    (let ((bits (integer-length mantissa)))
      (values (if (eql bits 24)
                  (abs (si:with-exponent float 126))
                  (si:float-of-ratio mantissa (ash 1 bits)))
              (if (eql mantissa 0) 0 (+ exponent bits))
              (float sign)))))

(defun float-sign (float)
  "1.0 or -1.0."
  (if (< (si:float-high float) 32768) 1.0 -1.0))

;;; Digits. The shortest row of digits that reads as the same float (Burger and
;;; Dybvig, Printing floating-point numbers quickly and accurately, 1996): the
;;; number is ABOVE / BELOW, and half the distance to its neighbours HIGHER / BELOW
;;; and LOWER / BELOW; a mantissa that is even may stop right between.

(defun si:first-digit-exponent (above below higher even)
  "The least power of 10 beyond the number and its upper neighbourhood."
  (let ((power 0)
        (top (+ above higher)))
    (do ((reduced below))
        ((not (if even (>= top reduced) (> top reduced))))
      (setq reduced (* reduced 10))
      (setq power (+ power 1)))
    (when (eql power 0)
      (do ((raised (* top 10) (* raised 10)))
          ((if even (>= raised below) (> raised below)))
        (setq power (- power 1))))
    power))

(defun si:next-digits (above below higher lower even)
  "The digits of a number below 1."
  (let ((digits nil))
    (do () (nil)
      (multiple-value-bind (digit rest) (truncate (* above 10) below)
        (setq above rest higher (* higher 10) lower (* lower 10))
        (let ((low-enough (if even (<= above lower) (< above lower)))
              (high-enough (if even
                               (>= (+ above higher) below)
                               (> (+ above higher) below))))
          (cond ((and (not low-enough) (not high-enough))
                 (push digit digits))
                ((and low-enough
                      (or (not high-enough) (< (* 2 above) below)))
                 (return (nreverse (cons digit digits))))
                (t
                 (return (nreverse (cons (+ digit 1) digits))))))))))

(defun si:float-digits (float)
  "The digits of a positive float, and the power of 10 before which the point
stands."
  (multiple-value-bind (mantissa exponent sign) (integer-decode-float float)
    (let* ((even (evenp mantissa))
           ;; The neighbour below a power of 2 is nearer.
           (uneven (and (eql mantissa si:+hidden-bit+)
                        (> exponent si:+least-exponent+)))
           (factor (if uneven 4 2))
           (unit (if (> exponent 0) (ash 1 exponent) 1))
           (above (* mantissa unit factor))
           (below (if (< exponent 0) (ash factor (- 0 exponent)) factor))
           (higher (if uneven (* 2 unit) unit))
           (lower unit)
           (power (si:first-digit-exponent above below higher even)))
      (if (> power 0)
          (setq below (* below (expt 10 power)))
          (let ((scale (expt 10 (- 0 power))))
            (setq above (* above scale) higher (* higher scale) lower (* lower scale))))
      (values (si:next-digits above below higher lower even) power))))

(defun si:float-of-decimal (integer exponent)
  "The float nearest to an integer times a power of 10."
  (if (>= exponent 0)
      (si:float-of-ratio (* integer (expt 10 (min exponent 100))) 1)
      (si:float-of-ratio integer (expt 10 (min (- 0 exponent) 1000)))))
