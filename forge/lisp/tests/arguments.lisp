;;;; Every function of Lisp, called with arguments that nobody meant for it: errors are
;;;; all that may happen. (CALL-WITH-NONSENSE seed rounds) prints each call before it
;;;; happens if *TELL* is true, so that the last one is to blame.

(defvar *tell* nil)
(defvar *random* 1)
(defvar *kept* nil "Objects that calls have made.")

(defun any (limit)
  "A number below LIMIT from a sequence of its own."
  (setq *random* (mod (+ (* *random* 1103) 12345) 1000003))
  (mod (floor *random* 7) limit))

(defun one-of (list) (nth (any (length list)) list))

(defstruct nonsense one two)
(defvar *nonsense-variable* 1)

(defun any-number ()
  (one-of '(0 1 -1 2 3 5 10 16 31 32 64 100 255 256 -256 1000 4097 -32768
            65535000 20000 2147483647 -2147483648 2147483648 4294967296 -99999999999999999999
            1000000000000000000000000000000 1/2 -7/3 0.0 -0.0 1.5 -2.25 1.0e30 -1.0e-30
            3.4e38 1.0e-45)))

(defun any-symbol ()
  (one-of '(nil nil t nonsense-1 nonsense-2 *nonsense-variable* nonsense :test :key :start :end
            :initial-element :from-end list vector string integer character float symbol
            function cons number array single-float hash-table)))

(defun any-string ()
  (copy-seq (one-of '("" "a" "abc" "ABC" "Hello, world" "12" "-7.5e3" "(a . b)" "~A" "~10D"
                      "~{~A~}" "~" "~R ~:*~R" "\"" "|x" "#(" "~vD" "~[a~;b~]" "äöü"
                      "~&~%~T" "~S ~*" "~?" "~(x~)" "~5,2F" "~999999A"))))

(defun any-function ()
  (one-of (list #'identity #'list #'car #'+ #'eql #'< #'string< 'cons 'evenp #'char-code
                #'(lambda (&rest arguments) (car arguments))
                #'(lambda () 1)
                #'(lambda (&optional a b) (if a b a)))))

(defun any-argument (depth)
  (case (any (if (< depth 3) 16 9))
    ((0 1 2) (any-number))
    ((3 4) (any-symbol))
    (5 (any-string))
    (6 (one-of '(#\a #\A #\Space #\Newline #\0 #\~)))
    (7 (any-function))
    (8 (if *kept* (one-of *kept*) nil))
    ((9 10 11) (any-list depth))
    (12 (let ((depth (+ depth 1))) (vector (any-argument depth) (any-argument depth))))
    (13 (let ((table (make-hash-table :test (one-of '(eq eql equal)))))
          (dotimes (i (any 4) table)
            (setf (gethash (any-argument (+ depth 1)) table) i))))
    (14 (one-of (list (make-string-input-stream "some (text) 12 ")
                      (make-string-output-stream)
                      (make-nonsense :one 1 :two (any-argument (+ depth 1)))
                      (make-array '(2 3) :initial-element 0)
                      (make-array 4 :element-type 'bit :initial-element 1)
                      (make-array 5 :fill-pointer 2 :initial-element nil)
                      (make-array 3 :element-type '(unsigned-byte 8) :initial-element 7)
                      (make-condition 'simple-error :format-control "~A"))))
    (t (list 'quote (any-argument (+ depth 1))))))

(defun any-list (depth)
  (let ((list (case (any 8)
                (0 (any-argument (+ depth 1)))
                (t nil))))
    (dotimes (i (any 5) list)
      (push (any-argument (+ depth 1)) list))))

(defvar *left-alone*
  '(quit exit sleep save-image abort break
    ;; These change Lisp itself.
    fmakunbound makunbound unintern
    report-checks call-with-nonsense nonsense-call)
  "Functions that end or change everything.")

(defun functions-of-lisp ()
  "The names of all functions of the user, and of those that SETF calls."
  (let ((names nil))
    (do-all-lisp-symbols
     #'(lambda (symbol)
         (when (and (fboundp symbol) (not (macro-function symbol))
                    (not (special-operator-p symbol))
                    (not (member symbol *left-alone*)))
           (push symbol names))
         (let ((setter (get symbol 'si:setf-function)))
           (when (and setter (fboundp setter))
             (push setter names)))))
    (sort names #'string< :key #'symbol-name)))

(defun do-all-lisp-symbols (function)
  (si:map-linked-symbols function (find-package "LISP")))

(defun keep (value)
  "Some of what calls make is an argument later."
  (when (eql (any 4) 0)
    (when (> (length *kept*) 20)
      (setq *kept* nil))
    (push value *kept*)))

(defun nonsense-call (name)
  (let ((arguments nil))
    (dotimes (i (any 5))
      (push (any-argument 0) arguments))
    (when *tell*
      (let ((*print-length* 8) (*print-level* 4) (*print-circle* t))
        (format *error-output* "~&~S ~S~%" name arguments)
        (finish-output)))
    (catch 'si:top-level
      (handler-case
          (let ((*standard-output* (make-broadcast-stream))
                (*error-output* (make-broadcast-stream))
                (*trace-output* (make-broadcast-stream))
                (*terminal-io* (make-broadcast-stream))
                (*standard-input* (make-string-input-stream "input 1 2")))
            (keep (apply name arguments))
            t)
        (error () nil)))))

(defun call-with-nonsense (seed rounds)
  "How many calls returned, and how many there were."
  (setq *random* (+ seed 1))
  (let ((names (functions-of-lisp)) (returned 0) (calls 0))
    (dotimes (round rounds)
      (dolist (name names)
        (setq calls (+ calls 1))
        (when (nonsense-call name)
          (setq returned (+ returned 1)))))
    (list returned calls)))
