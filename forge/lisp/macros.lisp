;;;; The standard macros. They are used while programs are compiled, and they are in
;;;; the image for the evaluator. They expand into special forms, functions and each
;;;; other.
;;;;
;;;; What comes first must do without what comes later: the functions that make the
;;;; expander of a macro, and the backquote.

(eval-when (:compile-toplevel :load-toplevel :execute)

  ;; Lambda lists of macros and of DESTRUCTURING-BIND.

  (defun si:check-list (list least most form)
    "LIST if it has at least LEAST elements and at most MOST, unless that is NIL. FORM
is what an error is about."
    (let ((rest list) (count 0))
      (tagbody
       next
         (when (consp rest)
           (setq rest (cdr rest) count (+ count 1))
           (go next)))
      (cond ((< count least) (error "too few parts in ~S" form))
            ((null most))
            (rest (error "there is a dot in ~S" form))
            ((> count most) (error "too many parts in ~S" form)))
      list))

  (defun si:find-key (key list)
    "The rest of a list of keywords and values from the value of KEY on."
    (block nil
      (tagbody
       next
         (cond ((atom list) (return-from nil nil))
               ((eq (car list) key) (return-from nil (cdr list))))
         (setq list (cdr (cdr list)))
         (go next))))

  (defun si:check-keys (list keys form)
    "LIST if it consists of keywords, those of KEYS unless that is T, and values."
    (let ((rest list)
          (open (or (eq keys t) (car (si:find-key :allow-other-keys list)))))
      (tagbody
       next
         (when (consp rest)
           (cond ((atom (cdr rest)) (error "~S has no value in ~S" (car rest) form))
                 (open)
                 ((eq (car rest) :allow-other-keys))
                 ((member (car rest) keys))
                 (t (error "~S is not a known keyword in ~S" (car rest) form)))
           (setq rest (cdr (cdr rest)))
           (go next)))
      list))

  (defun si:cdrs (count form)
    "A form for what remains behind COUNT elements."
    (tagbody
     next
       (when (> count 0)
         (setq form (list 'cdr form) count (- count 1))
         (go next)))
    form)

  (defun si:list-range (pattern)
    "How many elements fit a lambda list: the least and the largest number, which is NIL
if there is none."
    (let ((least 0) (most 0) (optional nil) (word nil))
      (block nil
        (tagbody
         next
           (when (atom pattern)
             (return-from nil (cons least (if pattern nil most))))
           (setq word (car pattern) pattern (cdr pattern))
           (cond ((member word '(&rest &body &key))
                  (return-from nil (cons least nil)))
                 ((member word '(&whole &environment))
                  (setq pattern (cdr pattern)))
                 ((eq word '&optional) (setq optional t))
                 ((eq word '&aux) (return-from nil (cons least most)))
                 (optional (setq most (+ most 1)))
                 (t (setq least (+ least 1) most (+ most 1))))
           (go next)))))

  (defun si:checked-list (pattern value form)
    "A form for a list after a look at its length."
    (let ((range (si:list-range pattern)))
      (if (and (eq (car range) 0) (null (cdr range)))
          value
          (list 'si:check-list value (car range) (cdr range) form))))

  (defun si:bind-pattern (pattern value)
    "Bindings of a variable, or of those in a nested lambda list."
    (cond ((symbolp pattern) (list (list pattern value)))
          (t (let ((list (gensym)))
               (cons (list list value)
                     (cons (list list (si:checked-list pattern list list))
                           (si:destructure pattern list list nil)))))))

  (defun si:bind-optional (part tail)
    "Bindings of an optional parameter; TAIL is a form for a list that begins with its
value or is empty."
    (let ((pattern (if (consp part) (car part) part))
          (default (if (consp part) (car (cdr part)) nil))
          (supplied (if (consp part) (car (cdr (cdr part))) nil)))
      (append (si:bind-pattern pattern (list 'if tail (list 'car tail) default))
              (if supplied
                  (list (list supplied (list 'if tail t nil)))
                  nil))))

  (defun si:key-name (part)
    "The keyword of a keyword parameter."
    (let ((name (if (consp part) (car part) part)))
      (if (consp name)
          (car name)
          (intern (symbol-name name) :keyword))))

  (defun si:bind-key (part rest)
    "Bindings of a keyword parameter."
    (let ((tail (gensym))
          (name (if (consp part) (car part) part)))
      (cons (list tail (list 'si:find-key (si:key-name part) rest))
            (si:bind-optional (if (consp name)
                                  (cons (car (cdr name)) (cdr part))
                                  part)
                              tail))))

  (defun si:key-names (parts)
    "The keywords that a lambda list knows behind &KEY, or T for all."
    (let ((names nil))
      (block nil
        (tagbody
         next
           (cond ((or (atom parts) (eq (car parts) '&aux))
                  (return-from nil names))
                 ((eq (car parts) '&allow-other-keys)
                  (return-from nil t)))
           (setq names (cons (si:key-name (car parts)) names) parts (cdr parts))
           (go next)))))

  (defun si:destructure (pattern list form environment)
    "Bindings, one after the other, of the variables of a lambda list to the parts of a
list in the variable LIST. FORM and ENVIRONMENT are variables for &WHOLE and
&ENVIRONMENT."
    (let ((bindings nil) (state nil) (count 0) (rest nil) (part nil))
      (block nil
        (tagbody
         next
           (when (null pattern)
             (return-from nil bindings))
           (when (atom pattern)
             (setq pattern (list '&rest pattern)))
           (setq part (car pattern) pattern (cdr pattern))
           (cond ((eq part '&whole)
                  (setq bindings (append bindings (si:bind-pattern (car pattern) form)))
                  (setq pattern (cdr pattern)))
                 ((eq part '&environment)
                  (setq bindings (append bindings (list (list (car pattern) environment))))
                  (setq pattern (cdr pattern)))
                 ((or (eq part '&rest) (eq part '&body))
                  (unless (consp pattern)
                    (error "~S is the last part of a lambda list" part))
                  (setq bindings (append bindings
                                         (si:bind-pattern (car pattern)
                                                          (si:cdrs count list))))
                  (setq pattern (cdr pattern)))
                 ((eq part '&key)
                  (setq rest (gensym))
                  (setq bindings (append bindings
                                         (list (list rest
                                                     (list 'si:check-keys
                                                           (si:cdrs count list)
                                                           (list 'quote (si:key-names pattern))
                                                           form)))))
                  (setq state '&key))
                 ((or (eq part '&optional) (eq part '&aux))
                  (setq state part))
                 ((eq part '&allow-other-keys))
                 ((eq state '&key)
                  (setq bindings (append bindings (si:bind-key part rest))))
                 ((eq state '&aux)
                  (setq bindings (append bindings (list (if (consp part) part (list part nil))))))
                 (t
                  (setq bindings
                        (append bindings
                                (if state
                                    (si:bind-optional part (si:cdrs count list))
                                    (si:bind-pattern part
                                                     (list 'car (si:cdrs count list))))))
                  (setq count (+ count 1))))
           (go next)))))

  (defun si:split-body (body)
    "The declarations of a body, without documentation, and the rest of it."
    (let ((declarations nil))
      (block nil
        (tagbody
         next
           (cond ((and (consp body) (stringp (car body)) (cdr body)))
                 ((and (consp body) (consp (car body)) (eq (car (car body)) 'declare))
                  (setq declarations (append declarations (list (car body)))))
                 (t (return-from nil (cons declarations body))))
           (setq body (cdr body))
           (go next)))))

  (defun si:parse-macro (name lambda-list body)
    "The function of a macro: a LAMBDA form with the parameters form and environment."
    (let ((form (gensym)) (environment (gensym)) (list (gensym))
          (parts (si:split-body body)))
      (list 'lambda (list form environment)
            (list 'declare (list 'ignorable environment))
            (append (list 'let*
                          (cons (list list
                                      (si:checked-list lambda-list (list 'cdr form) form))
                                (si:destructure lambda-list list form environment)))
                    (car parts)
                    (list (cons 'block (cons name (cdr parts))))))))

  ;; Backquote: forms that make the list a template describes.

  (defun si:constant-form-p (form)
    "Whether a form always has the same value."
    (cond ((consp form) (eq (car form) 'quote))
          ((symbolp form) (or (null form) (eq form t) (keywordp form)))
          (t t)))

  (defun si:constant-form-value (form)
    (if (consp form) (car (cdr form)) form))

  (defun si:quote-form (value)
    "A form with that value."
    (if (or (consp value)
            (and (symbolp value) (not (si:constant-form-p value))))
        (list 'quote value)
        value))

  (defun si:splice-form (part rest)
    "A form for a list that begins with what a part of a template stands for."
    (cond ((si:splice-p part)
           (cond ((and (null rest) (not (si:splice-p (car (cdr part)))))
                  (car (cdr part)))
                 ((and (consp rest) (eq (car rest) 'append))
                  (cons 'append (cons (car (cdr part)) (cdr rest))))
                 (t (list 'append (car (cdr part)) rest))))
          (t
           (let ((form (si:template-form part)))
             (cond ((and (si:constant-form-p form) (si:constant-form-p rest))
                    (list 'quote (cons (si:constant-form-value form)
                                       (si:constant-form-value rest))))
                   ((null rest) (list 'list form))
                   ((and (consp rest) (member (car rest) '(list list*)))
                    (cons (car rest) (cons form (cdr rest))))
                   ((and (consp rest) (eq (car rest) 'cons))
                    (cons 'list* (cons form (cdr rest))))
                   ((si:splice-p form) (list 'list* form rest))
                   (t (list 'cons form rest)))))))

  (defun si:splice-p (form)
    "Whether it is spliced in, perhaps by the backquote around this one."
    (and (consp form) (eq (car form) 'si:splice)))

  (defun si:template-form (template)
    "A form for what a template stands for."
    (cond ((simple-vector-p template)
           (let ((form (si:template-form (coerce template 'list))))
             (if (si:constant-form-p form)
                 template
                 (list 'coerce form ''vector))))
          ((atom template) (si:quote-form template))
          ((eq (car template) 'si:unquote) (car (cdr template)))
          ((eq (car template) 'si:backquote)
           (si:template-form (si:template-form (car (cdr template)))))
          (t
           (let ((parts nil) (form nil))
             (tagbody
              next
                (setq parts (cons (car template) parts) template (cdr template))
                (when (and (consp template)
                           (not (member (car template) '(si:unquote si:backquote))))
                  (go next))
                (setq form (if template (si:template-form template) nil))
              back
                (when parts
                  (setq form (si:splice-form (car parts) form) parts (cdr parts))
                  (go back)))
             form)))))

(defmacro si:backquote (template)
  (si:template-form template))

(defmacro destructuring-bind (lambda-list form &body body)
  "Binds the variables of a lambda list to the parts of a list."
  (let ((list (gensym)))
    `(let* ((,list ,form)
            (,list ,(si:checked-list lambda-list list list))
            ,@(si:destructure lambda-list list list nil))
       ,@body)))

;;; Conditions.

(defmacro when (test &body body)
  `(if ,test (progn ,@body) nil))

(defmacro unless (test &body body)
  `(if ,test nil (progn ,@body)))

(defmacro and (&rest forms)
  (cond ((null forms) t)
        ((null (cdr forms)) (car forms))
        (t `(if ,(car forms) (and ,@(cdr forms)) nil))))

(defmacro or (&rest forms)
  (cond ((null forms) nil)
        ((null (cdr forms)) (car forms))
        ((symbolp (car forms))
         `(if ,(car forms) ,(car forms) (or ,@(cdr forms))))
        (t (let ((value (gensym)))
             `(let ((,value ,(car forms)))
                (if ,value ,value (or ,@(cdr forms))))))))

(defmacro cond (&rest clauses)
  (if clauses
      (destructuring-bind ((test &rest body) &rest clauses) clauses
        (cond ((null body) `(or ,test (cond ,@clauses)))
              ((eq test t) `(progn ,@body))
              (t `(if ,test (progn ,@body) (cond ,@clauses)))))
      nil))

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defun si:simple-form-p (form)
    "Whether a form can be evaluated twice, and changes nothing."
    (or (atom form) (member (car form) '(quote function))))

  (defun si:key-test (value key)
    "A form that compares a variable with the key of a case."
    `(,(if (or (symbolp key)
               (characterp key)
               (and (integerp key) (< -65537 key 65536)))
           'eq
           'eql)
      ,value ,(si:quote-form key)))

  (defun si:case-test (value keys)
    "A form that looks for a variable among the keys of a clause."
    (cond ((member keys '(t otherwise)) t)
          ((atom keys) (if keys (si:key-test value keys) nil))
          (t `(or ,@(mapcar #'(lambda (key) (si:key-test value key)) keys)))))

  (defun si:case-keys (clauses)
    "All keys of the clauses of a case."
    (mapcan #'(lambda (clause)
                (if (listp (car clause))
                    (append (car clause) nil)
                    (list (car clause))))
            clauses))

  (defun si:with-value (form body)
    "The form that BODY, a function of a simple form, makes of the value of a form."
    (if (si:simple-form-p form)
        (funcall body form)
        (let ((value (gensym)))
          `(let ((,value ,form))
             ,(funcall body value)))))

  (defun si:clause-body (clause)
    (or (cdr clause) '(nil)))

  (defun si:case-form (value clauses test)
    "A COND with the tests that the function TEST makes of the clauses' keys."
    `(cond ,@(mapcar #'(lambda (clause)
                         `(,(funcall test value (car clause)) ,@(si:clause-body clause)))
                     clauses)))

  (defun si:type-test (value type)
    "A form that tests the type of a variable."
    (let ((predicate (if (symbolp type) (cdr (assoc type si:*type-predicates*)) nil)))
      (cond ((member type '(t otherwise)) t)
            (predicate `(,predicate ,value))
            ((atom type) `(typep ,value ',type))
            ((member (car type) '(or and))
             `(,(car type) ,@(mapcar #'(lambda (type) (si:type-test value type)) (cdr type))))
            ((eq (car type) 'not) `(not ,(si:type-test value (cadr type))))
            ((eq (car type) 'member) (si:case-test value (cdr type)))
            ((eq (car type) 'eql) (si:key-test value (cadr type)))
            ((eq (car type) 'satisfies) `(,(cadr type) ,value))
            (t `(typep ,value ',type)))))

  (defparameter si:*type-predicates*
    '((null . null) (cons . consp) (list . listp) (symbol . symbolp) (keyword . keywordp)
      (atom . atom) (integer . integerp) (number . numberp) (float . floatp)
      (single-float . floatp) (character . characterp) (string . stringp)
      (vector . vectorp) (array . arrayp) (function . functionp))))

(defmacro case (key &rest clauses)
  (si:with-value key
    #'(lambda (value) (si:case-form value clauses #'si:case-test))))

(defmacro ecase (key &rest clauses)
  (si:with-value key
    #'(lambda (value)
        `(cond ,@(cdr (si:case-form value clauses #'si:case-test))
               (t (error "~S is none of ~S." ,value ',(si:case-keys clauses)))))))

(defmacro typecase (key &rest clauses)
  (si:with-value key
    #'(lambda (value) (si:case-form value clauses #'si:type-test))))

(defmacro etypecase (key &rest clauses)
  (si:with-value key
    #'(lambda (value)
        `(cond ,@(cdr (si:case-form value clauses #'si:type-test))
               (t (error "~S is of none of the types ~S."
                         ,value ',(mapcar #'car clauses)))))))

;;; Order of evaluation.

(defmacro prog1 (first &body body)
  (let ((value (gensym)))
    `(let ((,value ,first))
       ,@body
       ,value)))

(defmacro prog2 (first second &body body)
  `(progn ,first (prog1 ,second ,@body)))

(defmacro psetq (&rest pairs)
  (cond ((null pairs) nil)
        ((null (cddr pairs)) `(progn (setq ,@pairs) nil))
        (t (let ((value (gensym)))
             `(let ((,value ,(cadr pairs)))
                (psetq ,@(cddr pairs))
                (setq ,(car pairs) ,value)
                nil)))))

(defmacro return (&optional value)
  `(return-from nil ,value))

(defmacro prog (variables &body body)
  (let ((parts (si:split-body body)))
    `(block nil
       (let ,variables
         ,@(car parts)
         (tagbody ,@(cdr parts))))))

(defmacro prog* (variables &body body)
  (let ((parts (si:split-body body)))
    `(block nil
       (let* ,variables
         ,@(car parts)
         (tagbody ,@(cdr parts))))))

;;; Multiple values.

(defmacro multiple-value-list (form)
  `(multiple-value-call #'list ,form))

(defmacro multiple-value-bind (variables form &body body)
  (let ((values (gensym)) (count -1))
    `(let* ((,values (multiple-value-list ,form))
            ,@(mapcar #'(lambda (variable)
                          (setq count (+ count 1))
                          `(,variable (car ,(si:cdrs count values))))
                      variables))
       ,@body)))

(defmacro multiple-value-setq (variables form)
  (let ((values (gensym)) (count -1))
    `(let ((,values (multiple-value-list ,form)))
       ,@(mapcar #'(lambda (variable)
                     (setq count (+ count 1))
                     `(setq ,variable (car ,(si:cdrs count values))))
                 variables)
       (car ,values))))

(defmacro nth-value (index form)
  `(nth ,index (multiple-value-list ,form)))

;;; Iteration. The test is at the bottom: one jump for each time round.

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defun si:do-form (let variables end body setter)
    "DO and DO*, which differ in LET and SETTER, the names of what binds and steps."
    (let ((next (gensym)) (test (gensym))
          (parts (si:split-body body))
          (steps (mapcan #'(lambda (variable)
                             (if (and (consp variable) (cddr variable))
                                 (list (car variable) (caddr variable))
                                 nil))
                         variables)))
      `(block nil
         (,let ,(mapcar #'(lambda (variable)
                            (if (consp variable)
                                (list (car variable) (cadr variable))
                                (list variable nil)))
                        variables)
           ,@(car parts)
           (tagbody
              (go ,test)
              ,next
              ,@(cdr parts)
              ,@(if steps `((,setter ,@steps)) nil)
              ,test
              (if ,(car end) nil (go ,next)))
           ,@(if (cdr end) (cdr end) '(nil))))))

  (defun si:tagbody-forms (body)
    "A body in which there may be tags, as forms of another TAGBODY."
    (if (every #'consp body)
        body
        `((tagbody ,@body)))))

(defmacro do (variables (&rest end) &body body)
  (si:do-form 'let variables end body 'psetq))

(defmacro do* (variables (&rest end) &body body)
  (si:do-form 'let* variables end body 'setq))

(defmacro dolist ((variable list &optional result) &body body)
  (let ((rest (gensym)) (next (gensym)) (test (gensym))
        (parts (si:split-body body)))
    `(block nil
       (let ((,rest ,list))
         (tagbody
            (go ,test)
            ,next
            (let ((,variable (car ,rest)))
              ,@(car parts)
              ,@(si:tagbody-forms (cdr parts)))
            (setq ,rest (cdr ,rest))
            ,test
            (if ,rest (go ,next) nil)))
       ,(if result
            `(let ((,variable nil)) ,result)
            nil))))

(defmacro dotimes ((variable count &optional result) &body body)
  (let ((next (gensym)) (test (gensym)) (limit (gensym))
        (parts (si:split-body body)))
    `(block nil
       (let (,@(if (integerp count) nil `((,limit ,count)))
             (,variable 0))
         ,@(car parts)
         (tagbody
            (go ,test)
            ,next
            ,@(si:tagbody-forms (cdr parts))
            (setq ,variable (+ ,variable 1))
            ,test
            (if (< ,variable ,(if (integerp count) count limit)) (go ,next) nil))
         ,result))))
