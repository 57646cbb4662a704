;;;; The evaluator. A form is converted once, to a function of an environment that
;;;; does what the form says; macros are expanded then.
;;;;
;;;; An environment is a list of values, the innermost variable first. While a form is
;;;; converted a scope, a list in the same order, says what the values are:
;;;;
;;;;   a symbol              a variable
;;;;   (:FUNCTION . name)    a local function
;;;;   an exit               a block or tagbody; its value is the tag that is thrown
;;;;
;;;; and, without a value in the environment,
;;;;
;;;;   (:MACRO name . expander)
;;;;   (:SYMBOL-MACRO name . form)
;;;;   (:SPECIAL . name)     a variable that is bound dynamically from here on
;;;;
;;;; RETURN-FROM and GO throw only if they must. In a position whose value becomes
;;;; that of the block, or of a statement of the tagbody, the form returns the mark
;;;; SI:*LEAVING* instead, with the exit and what it is to do in two variables. TAIL is
;;;; the list of the exits to which a form can be left so.

(defstruct (si:exit (:copier nil))
  name        ; of the block, NIL for a tagbody too
  labels      ; of the tagbody: cells of a tag and the statements behind it
  thrown      ; whether something throws to it
  left)       ; whether something returns the mark for it

(defvar si:*leaving* (list 'leaving) "The mark.")
(defvar si:*exit* nil "The exit that is meant.")
(defvar si:*exit-value* nil "The values for a block, or the label of a tagbody.")
(defvar si:*leave-count* 0 "How many forms were converted that return the mark.")
(declaim (si:global si:*leaving* si:*exit* si:*exit-value* si:*leave-count*))

(defun si:leave (exit value)
  "Returns the mark for an exit."
  (setq si:*exit* exit si:*exit-value* value)
  si:*leaving*)

;;; Scopes.

(defun si:without-value-p (entry)
  "Whether an entry of a scope has no value in the environment."
  (and (consp entry) (member (car entry) '(:macro :symbol-macro :special))))

(defun si:place (predicate scope)
  "The first entry that satisfies PREDICATE, and the index of its value."
  (let ((index 0))
    (dolist (entry scope (values nil nil))
      (when (funcall predicate entry)
        (return (values entry index)))
      (unless (si:without-value-p entry)
        (setq index (+ index 1))))))

(defun si:special-p (symbol)
  "Whether a variable is always bound dynamically."
  (get symbol 'si:special))

(defun si:variable-index (symbol scope)
  "The index of a variable, NIL if it is special."
  (multiple-value-bind (entry index)
      (si:place #'(lambda (entry)
                    (or (eq entry symbol)
                        (and (consp entry) (eq (car entry) :special)
                             (eq (cdr entry) symbol))))
                scope)
    (if (and entry (symbolp entry)) index nil)))

(defun si:symbol-macro (symbol scope)
  "The entry of a symbol that stands for a form, NIL if it does not."
  (dolist (entry scope nil)
    (cond ((eq entry symbol) (return nil))
          ((atom entry))
          ((and (eq (car entry) :special) (eq (cdr entry) symbol)) (return nil))
          ((and (eq (car entry) :symbol-macro) (eq (cadr entry) symbol)) (return entry)))))

(defun si:local-function (name scope)
  "The entry of a local function or macro, and its index."
  (si:place #'(lambda (entry)
                (and (consp entry)
                     (or (and (eq (car entry) :function) (eq (cdr entry) name))
                         (and (eq (car entry) :macro) (eq (cadr entry) name)))))
            scope))

(defun si:exit-place (predicate scope)
  "The first exit that satisfies PREDICATE, and the index of its tag."
  (si:place #'(lambda (entry)
                (and (si:exit-p entry) (funcall predicate entry)))
            scope))

;;; Conversion.

(defun si:convert (form scope tail)
  "A function of an environment that does what the form says."
  (cond ((symbolp form)
         (let ((macro (si:symbol-macro form scope)))
           (if macro
               (si:convert (cddr macro) scope tail)
               (si:convert-variable form scope))))
        ((atom form) (si:convert-constant form))
        ((not (symbolp (car form)))
         (if (and (consp (car form)) (eq (car (car form)) 'lambda))
             (si:convert-call (si:convert-function (list (car form)) scope nil)
                              (cdr form) scope)
             (error "~S is not a function." (car form))))
        (t
         (multiple-value-bind (entry index) (si:local-function (car form) scope)
           (cond ((null entry) (si:convert-global-form form scope tail))
                 ((eq (car entry) :macro)
                  (si:convert (funcall (cddr entry) form scope) scope tail))
                 (t
                  (si:convert-call (si:local-reference index) (cdr form) scope)))))))

(defun si:convert-global-form (form scope tail)
  (let* ((name (car form))
         (special-form (get name 'si:special-form))
         (expander (if special-form nil (macro-function name))))
    (cond (special-form (funcall special-form (cdr form) scope tail))
          (expander (si:convert (funcall expander form scope) scope tail))
          (t (si:convert-global-call name (cdr form) scope)))))

(defun si:convert-all (forms scope)
  (mapcar #'(lambda (form) (si:convert form scope nil)) forms))

(defun si:convert-constant (value)
  #'(lambda (environment) value))

(defun si:convert-variable (symbol scope)
  (let ((index (si:variable-index symbol scope)))
    (cond (index (si:local-reference index))
          ((or (null symbol) (eq symbol t) (keywordp symbol))
           (si:convert-constant symbol))
          (t #'(lambda (environment) (opcodes (eval) symbol))))))

(defun si:local-reference (index)
  (case index
    (0 #'(lambda (environment) (car environment)))
    (1 #'(lambda (environment) (cadr environment)))
    (2 #'(lambda (environment) (caddr environment)))
    (3 #'(lambda (environment) (cadddr environment)))
    (t #'(lambda (environment) (nth index environment)))))

(defun si:convert-global-call (name arguments scope)
  "A call of a global function with converted arguments."
  (let* ((converted (si:convert-all arguments scope))
         (a (car converted)) (b (cadr converted)) (c (caddr converted)))
    (case (length converted)
      (0 #'(lambda (environment)
             (si:check-argument-count name 0)
             (funcall name)))
      (1 #'(lambda (environment)
             (si:check-argument-count name 1)
             (funcall name (funcall a environment))))
      (2 #'(lambda (environment)
             (si:check-argument-count name 2)
             (funcall name (funcall a environment) (funcall b environment))))
      (3 #'(lambda (environment)
             (si:check-argument-count name 3)
             (funcall name (funcall a environment) (funcall b environment)
                      (funcall c environment))))
      (t #'(lambda (environment)
             (si:check-argument-count name (length converted))
             (apply name (si:evaluate-all converted environment)))))))

(defun si:check-argument-count (name given)
  "The machine drops arguments that a function does not want; the evaluator tells."
  (let ((count (si:argument-count name)))
    (unless (or (null count) (eq count given))
      (si:wrong-argument-count name count given))))

(defun si:convert-call (function arguments scope)
  "A call of the value of a converted form."
  (let ((converted (si:convert-all arguments scope)))
    #'(lambda (environment)
        (let ((function (funcall function environment)))
          (apply function (si:evaluate-all converted environment))))))

(defun si:evaluate-all (converted environment)
  (let ((values nil))
    (dolist (form converted (nreverse values))
      (push (funcall form environment) values))))

;;; Several forms. Only the value of the last counts, but those before may be left.

(defun si:convert-body (forms scope tail)
  (cond ((null forms) (si:convert-constant nil))
        ((null (cdr forms)) (si:convert (car forms) scope tail))
        (t
         (let* ((count si:*leave-count*)
                (first (si:convert (car forms) scope tail))
                (leaves (not (eql count si:*leave-count*)))
                (rest (si:convert-body (cdr forms) scope tail)))
           (if leaves
               #'(lambda (environment)
                   (if (eq (funcall first environment) si:*leaving*)
                       si:*leaving*
                       (funcall rest environment)))
               #'(lambda (environment)
                   (funcall first environment)
                   (funcall rest environment)))))))

;;; Functions.

(defstruct (si:interpreted (:copier nil))
  name          ; NIL if it has none
  lambda-list
  count         ; how many arguments it wants, NIL if it takes a list of them
  body)         ; the converted forms

(defun si:declared-specials (declarations)
  "The variables that are declared special."
  (let ((names nil))
    (dolist (declaration declarations names)
      (dolist (part (cdr declaration))
        (when (eq (car part) 'special)
          (setq names (append (cdr part) names)))))))

(defun si:with-specials (names scope)
  (dolist (name names scope)
    (push (cons :special name) scope)))

(defun si:simple-lambda-list-p (lambda-list specials)
  "Whether there are only required parameters, none of them special."
  (every #'(lambda (name)
             (not (or (member name '(&optional &rest &key &aux &body &allow-other-keys))
                      (si:special-p name)
                      (member name specials))))
         lambda-list))

(defun si:convert-lambda (name lambda-list body scope)
  "The interpreted function of a lambda expression."
  (let* ((parts (si:split-body body))
         (specials (si:declared-specials (car parts))))
    (if (si:simple-lambda-list-p lambda-list specials)
        (si:make-interpreted
         :name name :lambda-list lambda-list :count (length lambda-list)
         :body (si:convert-body (cdr parts)
                                (si:with-specials specials (append lambda-list scope))
                                nil))
        (si:make-interpreted
         :name name :lambda-list lambda-list :count nil
         :body (si:convert-general-lambda name lambda-list body scope)))))

(defun si:convert-general-lambda (name lambda-list body scope)
  "The body of a function that takes its arguments as a list."
  (let ((list (make-symbol "ARGUMENTS"))
        (call (make-symbol "CALL")))
    (si:convert `(let* ((,call (cons ',name ,list))
                        (,list ,(si:checked-list lambda-list list call))
                        ,@(si:destructure lambda-list list call nil))
                   ,@body)
                (cons list scope)
                nil)))

(defun si:close-over (function environment)
  "The function that an interpreted one is in an environment."
  (let ((body (si:interpreted-body function))
        (count (si:interpreted-count function)))
    (if count
        #'(lambda (&rest arguments)
            (funcall body (si:extend environment arguments count function)))
        #'(lambda (&rest arguments)
            (funcall body (cons arguments environment))))))

(defun si:extend (environment arguments count function)
  "Puts a new list of arguments in front of an environment."
  (if (eql count 0)
      (if arguments
          (si:wrong-argument-count (si:full-name function) count (length arguments))
          environment)
      (let ((last (nthcdr (- count 1) arguments)))
        (when (or (null last) (cdr last))
          (si:wrong-argument-count (si:full-name function) count (length arguments)))
        (rplacd last environment)
        arguments)))

(defun si:full-name (function)
  "The name of an interpreted function, or how it begins."
  (or (si:interpreted-name function)
      (list 'lambda (si:interpreted-lambda-list function))))

(defun si:wrong-argument-count (name count given)
  (error 'program-error
         :format-control "The function ~S takes ~D argument~:P, not ~D."
         :format-arguments (list name count given)))

;;; Entries.

(defun si:top-level-forms (form)
  "The forms that a form at top level consists of, as a list; they are evaluated one
after the other."
  (cond ((atom form) (list form))
        ((eq (car form) 'progn) (cdr form))
        ((and (symbolp (car form)) (not (get (car form) 'si:special-form))
              (macro-function (car form)))
         (si:top-level-forms (macroexpand-1 form)))
        (t (list form))))

(defun eval (form)
  "The values of a form."
  (si:evaluate form #'(lambda (form) nil)))

(defun si:evaluate (form compile)
  "The values of a form. COMPILE answers a function of no arguments that does what a part
of it says, or NIL."
  (let ((forms (si:top-level-forms form)))
    (do () ((or (null forms) (null (cdr forms))))
      (si:evaluate (pop forms) compile))
    (cond ((null forms) nil)
          ((not (eq (car forms) form)) (si:evaluate (car forms) compile))
          (t
           (let ((function (funcall compile form)))
             (if function
                 (funcall function)
                 (funcall (si:convert form nil nil) nil)))))))

(defun si:eval-form (form)
  "What the machine's instruction EVAL leaves to Lisp."
  (eval form))

(defun macroexpand-1 (form &optional environment)
  "The form that a macro form stands for, and whether it was one."
  (if (and (consp form) (symbolp (car form)))
      (multiple-value-bind (entry index) (si:local-function (car form) environment)
        (cond ((and entry (eq (car entry) :macro))
               (values (funcall (cddr entry) form environment) t))
              ((and (null entry) (macro-function (car form)))
               (values (funcall (macro-function (car form)) form environment) t))
              (t (values form nil))))
      (values form nil)))

(defun macroexpand (form &optional environment)
  "The form that is left when all macros around it are expanded."
  (multiple-value-bind (expansion expanded) (macroexpand-1 form environment)
    (if expanded
        (values (macroexpand expansion environment) t)
        (values form nil))))

(defun special-operator-p (symbol)
  "Whether the evaluator knows the meaning of forms that begin with it."
  (and (get symbol 'si:special-form) t))
