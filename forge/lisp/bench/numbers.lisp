;;;; Numbers: floating point, of more than 16 bits, of any size.

;;; How soon points leave the Mandelbrot set.

(defun mandelbrot-steps (x y limit)
  (do ((re 0.0) (im 0.0) (re2 0.0) (im2 0.0) (n 0 (+ n 1)))
      ((or (= n limit) (> (+ re2 im2) 4.0)) n)
    (setq im (+ (* 2.0 (* re im)) y))
    (setq re (+ (- re2 im2) x))
    (setq re2 (* re re) im2 (* im im))))

(defun mandelbrot (size limit)
  (let ((sum 0) (step (/ 3.0 size)))
    (dotimes (i size sum)
      (dotimes (j size)
        (setq sum (+ sum (mandelbrot-steps (- (* step i) 2.0) (- (* step j) 1.5) limit)))))))

(define-benchmark "mandelbrot" 80 (mandelbrot 16 50) 3363)

;;; The same with declarations, which a compiler can make use of.

(defun mandelbrot-steps-declared (x y limit)
  (declare (single-float x y) (fixnum limit))
  (let ((re 0.0) (im 0.0) (re2 0.0) (im2 0.0) (n 0))
    (declare (single-float re im re2 im2) (fixnum n))
    (do ()
        ((or (= n limit) (> (+ re2 im2) 4.0)) n)
      (setq im (+ (* 2.0 (* re im)) y))
      (setq re (+ (- re2 im2) x))
      (setq re2 (* re re) im2 (* im im))
      (setq n (+ n 1)))))

(defun mandelbrot-declared (size limit)
  (let ((sum 0) (step (/ 3.0 size)))
    (dotimes (i size sum)
      (dotimes (j size)
        (setq sum (+ sum (mandelbrot-steps-declared
                          (- (* step i) 2.0) (- (* step j) 1.5) limit)))))))

(define-benchmark "mandelbrot-declared" 70 (mandelbrot-declared 16 50) 3363)

;;; The fast Fourier transform, there and back. The cosines and sines of a whole turn
;;; and its halves, quarters and so on are all that it must know.

(defvar *fft-turns*
  '((-1.0 . 0.0) (0.0 . 1.0) (0.70710678 . 0.70710678) (0.9238795 . 0.38268343)
    (0.98078528 . 0.19509032) (0.9951847 . 0.09801714)))

(defun fft-swap (re im size)
  "Puts the elements in the order of their numbers with the bits reversed."
  (let ((j 0))
    (dotimes (i size)
      (when (< i j)
        (let ((x (svref re i)) (y (svref im i)))
          (setf (svref re i) (svref re j) (svref im i) (svref im j))
          (setf (svref re j) x (svref im j) y)))
      (do ((bit (floor size 2) (floor bit 2)))
          ((or (= bit 0) (= 0 (logand j bit)))
           (setq j (+ j bit)))
        (setq j (- j bit))))))

(defun fft (re im size sign)
  (fft-swap re im size)
  (do ((half 1 (* 2 half)) (turns *fft-turns* (cdr turns)))
      ((= half size))
    (let ((cos (caar turns)) (sin (* sign (cdar turns))) (wr 1.0) (wi 0.0))
      (dotimes (k half)
        (do ((i k (+ i half half)))
            ((>= i size))
          (let* ((j (+ i half))
                 (x (- (* wr (svref re j)) (* wi (svref im j))))
                 (y (+ (* wr (svref im j)) (* wi (svref re j)))))
            (setf (svref re j) (- (svref re i) x) (svref im j) (- (svref im i) y))
            (setf (svref re i) (+ (svref re i) x) (svref im i) (+ (svref im i) y))))
        (let ((next (- (* wr cos) (* wi sin))))
          (setq wi (+ (* wi cos) (* wr sin)))
          (setq wr next))))))

(defun fft-both (size)
  "How many of the numbers come back as they were."
  (let ((re (make-array size)) (im (make-array size)) (same 0))
    (dotimes (i size)
      (setf (svref re i) (float (logand (* i 5) 15)) (svref im i) 0.0))
    (fft re im size 1.0)
    (fft re im size -1.0)
    (dotimes (i size same)
      (let ((error (- (/ (svref re i) size) (logand (* i 5) 15))))
        (when (and (< error 0.01) (> error -0.01))
          (setq same (+ same 1)))))))

(define-benchmark "fft" 200 (fft-both 64) 64)

;;; Pseudo-random numbers, the products of which need 32 bits.

(defun random-walk (count)
  (let ((seed 1) (sum 0))
    (dotimes (i count sum)
      (setq seed (rem (+ (* seed 1103) 12345) 1000003))
      (setq sum (logxor sum seed)))))

(define-benchmark "random" 300 (random-walk 2000) 524625)

;;; A cyclic redundancy check of 16 bits.

(defun crc (count)
  (let ((crc 65535))
    (dotimes (i count crc)
      (setq crc (logxor crc (logand i 255)))
      (dotimes (bit 8)
        (setq crc (if (= 0 (logand crc 1))
                      (ash crc -1)
                      (logxor (ash crc -1) 40961)))))))

(define-benchmark "crc" 900 (crc 500) 48124)

;;; Greatest common divisors.

(defun gcd-euclid (a b)
  (if (= b 0)
      a
      (gcd-euclid b (rem a b))))

(defun gcd-sum (size)
  (let ((sum 0))
    (dotimes (i size sum)
      (dotimes (j size)
        (setq sum (+ sum (gcd-euclid (+ i 1000) (+ j 700))))))))

(define-benchmark "gcd" 400 (gcd-sum 40) 6388)

;;; Integers of many digits: factorials.

(defun factorial (n)
  (if (= n 0)
      1
      (* n (factorial (- n 1)))))

(define-benchmark "factorial" 70
  (let ((f (factorial 100)))
    (+ (rem f 1000003) (rem (floor f (factorial 90)) 65537)))
  429120)

;;; The digits of pi, one after the other, from fractions of growing integers.

(defun pi-digits (count)
  "COUNT digits of pi, as an integer."
  (let ((digits 0) (q 1) (r 0) (k 1) (d 1))
    ;; What is not known yet of pi lies between q * 3 + r and q * 4 + r, over d.
    (do ()
        ((= count 0) digits)
      (let ((digit (floor (+ (* 3 q) r) d)))
        (cond ((= digit (floor (+ (* 4 q) r) d))
               (setq digits (+ (* 10 digits) digit) count (- count 1))
               (setq r (* 10 (- r (* digit d))) q (* 10 q)))
              (t
               (setq r (* (+ (* 2 q) r) (+ k k 1)))
               (setq d (* d (+ k k 1)) q (* q k) k (+ k 1))))))))

(define-benchmark "pi" 3 (pi-digits 40) 3141592653589793238462643383279502884197)
