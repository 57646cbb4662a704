;;;; Forms without macros: what the compiler of the host wants. A scope is that of the
;;;; evaluator; only the entries of macros, and of what hides them, count here.

(defvar si:*call-designators*
  '(funcall apply mapcar mapc mapcan mapcon mapl maplist some every notany notevery
    reduce sort stable-sort maphash map map-into find-if find-if-not position-if
    position-if-not count-if count-if-not remove-if remove-if-not delete-if delete-if-not
    substitute-if substitute-if-not member-if assoc-if)
  "Functions that call their first argument, whether it is a function or its name.")
(declaim (si:global si:*call-designators*))

(defun si:expand (form scope)
  "The form with all macros in it expanded."
  (cond ((symbolp form)
         (let ((macro (si:symbol-macro form scope)))
           (cond (macro (si:expand (cddr macro) scope))
                 ((or (member form scope) (si:surely-bound-p form)) form)
                 (t `(opcodes (eval) ',form)))))
        ((atom form) form)
        ((not (symbolp (car form)))
         (if (and (consp (car form)) (eq (car (car form)) 'lambda))
             (cons (cons 'lambda (si:expand-lambda (cdr (car form)) scope))
                   (si:expand-each (cdr form) scope))
             (error "~S is not a function." (car form))))
        (t
         (let ((local (si:local-function (car form) scope))
               (special (get (car form) 'si:expand)))
           (cond ((and local (eq (car local) :macro))
                  (si:expand (funcall (cddr local) form scope) scope))
                 (local (si:expand-call form scope))
                 (special
                  (funcall special form scope))
                 ((macro-function (car form))
                  (si:expand (funcall (macro-function (car form)) form scope) scope))
                 (t (si:expand-call form scope)))))))

(defun si:surely-bound-p (symbol)
  "Whether a global variable has a value. Only an instruction of its own checks that."
  (or (null symbol) (eq symbol t) (keywordp symbol)
      (and (si:special-p symbol) (boundp symbol))))

(defun si:expand-each (forms scope)
  (mapcar #'(lambda (form) (si:expand form scope)) forms))

(defun si:expand-call (form scope)
  "A form all of whose operands are forms."
  (let ((calls (member (car form) si:*call-designators*))
        (name (car form)))
    (cons name
          (mapcar #'(lambda (operand)
                      ;; The name of a function is as good where it is called.
                      (prog1 (if (and calls (si:global-function-form-p operand scope))
                                 operand
                                 (si:expand operand scope))
                        (setq calls (member operand '(:test :key :test-not)))))
                  (cdr form)))))

(defun si:global-function-form-p (form scope)
  "Whether it is #'NAME and means a global function."
  (and (consp form) (eq (car form) 'function)
       (symbolp (cadr form))
       (not (si:local-function (cadr form) scope))))

;;; Bodies and lambda lists.

(defun si:expand-body (body scope)
  "A body with its declarations, but without documentation."
  (let ((parts (si:split-body body)))
    (append (car parts) (si:expand-each (cdr parts) scope))))

(defun si:expand-lambda (lambda-list-and-body scope)
  "The parameters and the body of a function."
  (let* ((parameters (mapcar #'(lambda (item)
                                 (cond ((atom item)
                                        (push item scope)
                                        item)
                                       (t
                                        (let ((form (si:expand (cadr item) scope)))
                                          (push (if (consp (car item)) (cadr (car item)) (car item))
                                                scope)
                                          (when (cddr item)
                                            (push (caddr item) scope))
                                          (list* (car item) form (cddr item))))))
                             (car lambda-list-and-body))))
    (cons parameters (si:expand-body (cdr lambda-list-and-body) scope))))

(defun si:expand-functions (definitions scope)
  "The definitions of FLET or LABELS."
  (mapcar #'(lambda (definition)
              (cons (car definition) (si:expand-lambda (cdr definition) scope)))
          definitions))

;;; Special forms: functions of the form and the scope.

(defun si:expand-nothing (form scope) form)

(defun si:expand-operands (form scope)
  (cons (car form) (si:expand-each (cdr form) scope)))

(defun si:expand-behind-first (form scope)
  "A form whose first operand is not evaluated."
  (list* (car form) (cadr form) (si:expand-each (cddr form) scope)))

(defun si:expand-function (form scope)
  (let ((name (cadr form)))
    (cond ((consp name)
           (list 'function (cons 'lambda (si:expand-lambda (cdr name) scope))))
          ((si:local-function name scope) form)
          (t `(symbol-function ',name)))))

(defun si:expand-lambda-form (form scope)
  (si:expand-function (list 'function form) scope))

(defun si:expand-setq (form scope)
  (let ((forms nil))
    (do ((rest (cdr form) (cddr rest)))
        ((null rest)
         (if (and forms (null (cdr forms))) (car forms) (cons 'progn (nreverse forms))))
      (let ((macro (si:symbol-macro (car rest) scope)))
        (push (if macro
                  (si:expand `(setf ,(cddr macro) ,(cadr rest)) scope)
                  (list 'setq (car rest) (si:expand (cadr rest) scope)))
              forms)))))

(defun si:expand-let (form scope)
  (let ((inner scope))
    (let ((bindings (mapcar #'(lambda (binding)
                                (let ((name (si:binding-name binding)))
                                  (push name inner)
                                  (list name (si:expand (si:binding-form binding) scope))))
                            (cadr form))))
      (list* 'let bindings (si:expand-body (cddr form) inner)))))

(defun si:expand-let* (form scope)
  (let ((bindings (mapcar #'(lambda (binding)
                              (let* ((name (si:binding-name binding))
                                     (value (si:expand (si:binding-form binding) scope)))
                                (push name scope)
                                (list name value)))
                          (cadr form))))
    (list* 'let* bindings (si:expand-body (cddr form) scope))))

(defun si:expand-multiple-value-bind (form scope)
  (list* 'multiple-value-bind (cadr form) (si:expand (caddr form) scope)
         (si:expand-body (cdddr form) (append (cadr form) scope))))

(defun si:expand-locally (form scope)
  (cons 'locally (si:expand-body (cdr form) scope)))

(defun si:expand-flet (form scope)
  (list* 'flet (si:expand-functions (cadr form) scope)
         (si:expand-body (cddr form) (si:function-scope (cadr form) scope))))

(defun si:expand-labels (form scope)
  (let ((scope (si:function-scope (cadr form) scope)))
    (list* 'labels (si:expand-functions (cadr form) scope)
           (si:expand-body (cddr form) scope))))

(defun si:expand-macrolet (form scope)
  (cons 'locally (si:expand-body (cddr form) (si:macro-scope (cadr form) scope))))

(defun si:expand-symbol-macrolet (form scope)
  (cons 'locally (si:expand-body (cddr form) (si:symbol-macro-scope (cadr form) scope))))

(defun si:expand-tagbody (form scope)
  (cons 'tagbody
        (mapcar #'(lambda (item) (if (consp item) (si:expand item scope) item))
                (cdr form))))

(defun si:expand-eval-when (form scope)
  (if (si:evaluated-now-p (cadr form))
      (cons 'progn (si:expand-each (cddr form) scope))
      nil))

(defun si:expand-defun (form scope)
  (list* 'defun (cadr form)
         (si:expand-lambda (cons (caddr form)
                                 (si:body-in-block (cadr form) (cdddr form)))
                           scope)))

(defun si:expand-defvar (form scope)
  "The value may depend on local variables."
  (let* ((name (cadr form))
         (set `(set ',name ,(si:expand (caddr form) scope))))
    `(progn
       (eval '(defvar ,name))
       ,@(if (cddr form)
             (list (if (eq (car form) 'defvar) `(if (boundp ',name) nil ,set) set)))
       ',name)))

(defun si:expand-definition (form scope)
  `(eval ',form))

(dolist (entry '((quote . si:expand-nothing) (go . si:expand-nothing)
                 (declare . si:expand-nothing)
                 (if . si:expand-operands) (progn . si:expand-operands)
                 (and . si:expand-operands) (or . si:expand-operands)
                 (catch . si:expand-operands) (throw . si:expand-operands)
                 (unwind-protect . si:expand-operands) (progv . si:expand-operands)
                 (multiple-value-call . si:expand-operands)
                 (multiple-value-list . si:expand-operands)
                 (multiple-value-prog1 . si:expand-operands)
                 (block . si:expand-behind-first) (return-from . si:expand-behind-first)
                 (the . si:expand-behind-first) (opcodes . si:expand-behind-first)
                 (function . si:expand-function) (lambda . si:expand-lambda-form)
                 (setq . si:expand-setq) (let . si:expand-let) (let* . si:expand-let*)
                 (multiple-value-bind . si:expand-multiple-value-bind)
                 (locally . si:expand-locally) (flet . si:expand-flet)
                 (labels . si:expand-labels) (macrolet . si:expand-macrolet)
                 (symbol-macrolet . si:expand-symbol-macrolet)
                 (tagbody . si:expand-tagbody) (eval-when . si:expand-eval-when)
                 (defun . si:expand-defun) (defvar . si:expand-defvar)
                 (defparameter . si:expand-defvar) (defconstant . si:expand-defvar)
                 (defmacro . si:expand-definition) (defstruct . si:expand-definition)
                 (declaim . si:expand-definition) (in-package . si:expand-definition)))
  (si:set-get (car entry) 'si:expand (cdr entry)))
