;;;; The compiler: the host has it. Lisp sends it a function as text, with its macros
;;;; expanded, and does the steps that the host answers, which make the code
;;;; (forge/src/live.rs tells how both are written).

(defvar si:*compiler-device* "/dev/geiko/compiler")
(defvar si:*compiler-missing* nil "Whether the host has no compiler.")
(declaim (si:global si:*compiler-device* si:*compiler-missing*))

(defun si:open-compiler ()
  "The number of the device, NIL if there is none: nobody asks twice in a session."
  (or (if si:*compiler-missing* nil (si:open-device si:*compiler-device* 0))
      (progn (setq si:*compiler-missing* t)
             nil)))

(defun si:look-for-compiler ()
  (setq si:*compiler-missing* nil))

(push 'si:look-for-compiler si:*restart-hooks*)

(defstruct (si:request (:copier nil))
  file          ; what is written to the host
  objects       ; those that have numbers, the last one first
  (count 0)     ; of the objects
  specials      ; symbols that occur and are always bound dynamically
  arities)      ; functions that are called and the numbers of their arguments

(defun si:host-file (number output)
  (si:make-file :name si:*compiler-device* :number number :output output :page 0
                :buffer (si:make-buffer) :next 0 :end 0))

;;; Writing.

(defun si:send (text request)
  (dotimes (index (length text))
    (si:file-write-char (si:request-file request) (char text index))))

(defun si:object-number (object request)
  "The number of an object in the table."
  (let ((place (position object (si:request-objects request) :test #'eq)))
    (if place
        (- (si:request-count request) 1 place)
        (progn
          (push object (si:request-objects request))
          (setf (si:request-count request) (+ (si:request-count request) 1))
          (- (si:request-count request) 1)))))

(defun si:send-object (object request)
  (si:send "#(" request)
  (si:send (si:integer-digits (si:object-number object request) 10) request)
  (si:send ")" request))

(defun si:send-symbol (symbol request)
  (when (si:special-p symbol)
    (pushnew symbol (si:request-specials request)))
  (let ((package (symbol-package symbol)))
    (cond (package
           (si:send (package-name package) request)
           (si:send ":|" request)
           (let ((name (symbol-name symbol)))
             (dotimes (index (length name))
               (when (find (char name index) "|\\")
                 (si:send "\\" request))
               (si:file-write-char (si:request-file request) (char name index))))
           (si:send "|" request))
          (t
           (si:send "#:|" request)
           (si:send (si:integer-digits (si:object-number symbol request) 10) request)
           (si:send "|" request)))))

(defun si:send-datum (object request)
  "An object: what the host need not know goes into the table."
  (cond ((symbolp object) (si:send-symbol object request))
        ((integerp object) (si:send (si:integer-digits object 10) request))
        ((floatp object) (si:send (prin1-to-string object) request))
        ((and (characterp object) (not (<= #xD800 (char-code object) #xDFFF)))
         (si:send "#\\U+" request)
         (si:send (si:integer-digits (char-code object) 16) request))
        (t (si:send-object object request))))

(defun si:send-form (form request)
  "A form, or a list of forms."
  (cond ((atom form) (si:send-datum form request))
        ((eq (car form) 'quote)
         (si:send "'" request)
         (si:send-datum (cadr form) request))
        (t
         (si:note-call (car form) request)
         (si:send "(" request)
         (do ((rest form (cdr rest)))
             ((atom rest)
              (when rest
                (si:send " . " request)
                (si:send-form rest request)))
           (unless (eq rest form)
             (si:send " " request))
           (si:send-form (car rest) request))
         (si:send ")" request))))

(defun si:note-call (name request)
  "Remembers how many arguments a function wants that may be called."
  (when (and (symbolp name) name
             (not (assoc name (si:request-arities request))))
    (let ((count (si:argument-count name)))
      (when count
        (push (list name count) (si:request-arities request))))))

(defun si:send-pair (name value request)
  (si:send name request)
  (si:send-form value request))

(defun si:send-request (name lambda request)
  (si:send "(:lambda " request)
  (si:send-form lambda request)
  (si:send-pair " :name " name request)
  (si:send-pair " :generation " si:*generation* request)
  (si:send-pair " :arity " (si:request-arities request) request)
  (si:send-pair " :special " (si:request-specials request) request)
  (si:send-pair " :objects " (si:request-count request) request)
  (si:send ")" request)
  (si:file-write-page (si:request-file request)))

;;; Doing the steps of an answer. Each makes an object.

(defun si:step-object (step objects)
  (let ((operands (cdr step)))
    (case (car step)
      (:constant (car operands))
      (:symbol (make-symbol (car operands)))
      (:code (si:make-code (car operands) (cadr operands) objects))
      (:closure (si:store (si:create 13) 0 (svref objects (car operands))))
      (:define (si:define-function (svref objects (car operands))
                                   (svref objects (cadr operands)))))))

(defun si:make-code (digits fixups objects)
  "A code block. At the places in FIXUPS, objects are added to the bytes and counted."
  (let* ((bytes (opcodes (lrsh1) (length digits)))
         (width (if (eq si:*generation* 3) 4 3))
         (block (si:allocate-block (opcodes (lsh) bytes -2) 2)))
    (dotimes (index bytes)
      (si:set-byte block index
                   (+ (opcodes (lsh) (digit-char-p (char digits (+ index index)) 16) 4)
                      (digit-char-p (char digits (+ index index 1)) 16))))
    (do ((rest fixups (cddr rest)))
        ((null rest) block)
      (let ((object (svref objects (cadr rest))))
        (si:add-reference object)
        (si:add-to-byte block (+ (car rest) width -4) (opcodes (lrsh8) (si:high object)))
        (si:add-to-byte block (+ (car rest) width -3) (logand (si:high object) 255))
        (si:add-to-byte block (+ (car rest) width -2) (opcodes (lrsh8) (si:low object)))
        (si:add-to-byte block (+ (car rest) width -1) (logand (si:low object) 255))))))

(defun si:add-to-byte (block index bits)
  (unless (eq bits 0)
    (si:set-byte block index (logior (si:byte-at block index) bits))))

(defun si:do-steps (steps request)
  "What the last step made."
  (let* ((count (si:request-count request))
         (objects (make-array (+ count (length steps))))
         (object nil))
    (do ((rest (si:request-objects request) (cdr rest))
         (index (- count 1) (- index 1)))
        ((null rest))
      (setf (svref objects index) (car rest)))
    (dolist (step steps object)
      (setq object (si:step-object step objects))
      (setf (svref objects count) object)
      (setq count (+ count 1)))))

;;; The compiler.

(define-condition si:compile-error (program-error) ())

(defun si:compile-lambda (name lambda scope)
  "The compiled function of a lambda expression, NIL if the host has no compiler. NAME is
what backtraces call it; in SCOPE there are macros."
  (si:compile-expanded name (cons 'lambda (si:expand-lambda (cdr lambda) scope))))

(defun si:compile-expanded (name lambda)
  (let ((number (si:open-compiler)))
    (if (null number)
        nil
        (let ((request (si:make-request :file (si:host-file number t)))
              (*read-base* 10)
              (*package* (find-package "LISP")))
          (si:send-request name lambda request)
          (let ((steps (read (si:file-input-stream (si:host-file number nil)))))
            (if (eq (car steps) :error)
                (error 'si:compile-error :format-control "~A."
                                         :format-arguments (cdr steps))
                (si:do-steps steps request)))))))

(defvar si:*compile-definitions* t
  "Whether functions are compiled when they are defined.")

(defun si:interpret-lambda (name lambda scope)
  "The interpreted function of a lambda expression that knows no variables."
  (si:close-over (si:convert-lambda name (cadr lambda) (cddr lambda) scope) nil))

(defun si:make-function (name lambda scope)
  "The function of a definition. What the compiler has to say against it is told."
  (or (and si:*compile-definitions*
           (handler-case (si:compile-lambda name lambda scope)
             (si:compile-error (condition)
               (format *error-output* "~&; ~S is not compiled: ~A~%" name condition)
               nil)))
      (si:interpret-lambda name lambda scope)))

(defun compile (name &optional definition)
  "Compiles the function of a symbol, or a lambda expression. A function that knows local
variables of an interpreted form stays as it is."
  (let* ((lambda (or definition (get name 'si:source)))
         (function (cond ((functionp lambda) lambda)
                         (lambda
                          (or (si:compile-lambda (or name 'lambda) lambda nil)
                              (si:interpret-lambda name lambda nil)))
                         (t (symbol-function name)))))
    (cond (name
           (si:set-symbol-function name function)
           name)
          (t function))))

(defun si:worth-compiling-p (form)
  "Whether there is a loop or a function in an expanded form."
  (and (consp form)
       (not (eq (car form) 'quote))
       (or (member (car form) '(tagbody lambda flet labels defun))
           (do ((rest form (cdr rest)))
               ((atom rest) nil)
             (when (si:worth-compiling-p (car rest))
               (return t))))))

(defun si:compile-form (form)
  "A function that does what a form at top level says, NIL if the evaluator shall do it."
  (if (and si:*compile-definitions*
           (consp form) (symbolp (car form))
           (not (member (get (car form) 'si:expand)
                        '(si:expand-defun si:expand-definition))))
      (let ((form (si:expand form nil)))
        (if (si:worth-compiling-p form)
            (handler-case (si:compile-expanded 'si:form (list 'lambda nil form))
              (si:compile-error () nil))
            nil))
      nil))

(defun si:eval-compiled (form)
  "The values of a form at top level."
  (si:evaluate form #'si:compile-form))
