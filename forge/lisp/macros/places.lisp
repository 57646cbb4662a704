;;;; Assignment to places: SETF and what is made of it.

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defparameter si:*setters*
    '((car . si:set-car) (cdr . si:set-cdr) (first . si:set-car) (rest . si:set-cdr)
      (nth . si:set-nth) (elt . si:set-elt) (aref . si:set-aref) (svref . si:set-svref)
      (char . si:set-char) (schar . si:set-schar) (gethash . si:set-gethash)
      (get . si:set-get) (symbol-value . set) (symbol-function . si:set-symbol-function)
      (fdefinition . si:set-symbol-function) (macro-function . si:set-macro-function)
      (symbol-plist . si:set-symbol-plist) (fill-pointer . si:set-fill-pointer)
      (subseq . si:set-subseq)))

  (defparameter si:*list-places*
    '((caar car car) (cadr car cdr) (cdar cdr car) (cddr cdr cdr) (caaar car caar)
      (caadr car cadr) (cadar car cdar) (caddr car cddr) (cdaar cdr caar)
      (cdadr cdr cadr) (cddar cdr cdar) (cdddr cdr cddr) (cadddr car cdddr)
      (second car cdr) (third car cddr) (fourth car cdddr) (fifth car cddddr)))

  (defun si:setter (name)
    "The function that sets what the function NAME gets: it has a new value as its last
argument and answers it."
    (or (get name 'si:setf-function)
        (cdr (assoc name si:*setters*))))

  (defun si:check-place (place)
    (unless (and (consp place) (symbolp (car place)))
      (error "~S is not a place" place)))

  (defun si:simple-place (place environment)
    "The same place as a variable or as a call of a function that can be set."
    (block nil
      (tagbody
       next
         (when (symbolp place)
           (return-from nil place))
         (si:check-place place)
         (let ((steps (cdr (assoc (car place) si:*list-places*))))
           (cond (steps
                  (return-from nil
                    (list (car steps) (cons (cadr steps) (cdr place)))))
                 ((or (si:setter (car place)) (member (car place) '(getf values the)))
                  (return-from nil place))))
         (let ((expansion (macroexpand-1 place environment)))
           (when (eq expansion place)
             (return-from nil place))
           (setq place expansion))
         (go next))))

  (defun si:bind-arguments (place &optional keep)
    "Bindings of variables to the arguments of a place, and the place with the
variables. Arguments that are variables are left alone if KEEP is true."
    (if (symbolp place)
        (cons nil place)
        (let ((bindings nil) (arguments nil))
          (dolist (argument (cdr place))
            (if (or (si:constant-form-p argument)
                    (and keep (symbolp argument)))
                (setq arguments (cons argument arguments))
                (let ((variable (gensym)))
                  (setq bindings (cons (list variable argument) bindings))
                  (setq arguments (cons variable arguments)))))
          (cons (reverse bindings) (cons (car place) (reverse arguments))))))

  (defun si:let-form (bindings body)
    (if bindings `(let* ,bindings ,body) body))

  (defun si:setf-form (place value environment)
    "A form that stores the value of a form in a place."
    (let* ((place (si:simple-place place environment))
           (operator (if (consp place) (car place) nil)))
      (cond ((null operator) `(setq ,place ,value))
            ((eq operator 'the)
             (si:setf-form (caddr place) value environment))
            ((eq operator 'getf)
             (let ((new (gensym)) (key (gensym)))
               (destructuring-bind (list indicator &optional default) (cdr place)
                 (si:modify-form list environment
                                 #'(lambda (list) `(si:put-property ,list ,key ,new))
                                 nil
                                 `((,key ,indicator) (,new ,value))
                                 new))))
            ((eq operator 'values)
             (let ((variables (mapcar #'(lambda (place) (gensym)) (cdr place))))
               `(multiple-value-bind ,variables ,value
                  ,@(mapcar #'(lambda (place variable) `(setf ,place ,variable))
                            (cdr place) variables)
                  (values ,@variables))))
            ((si:setter operator)
             `(,(si:setter operator) ,@(cdr place) ,value))
            (t
             (let* ((simple (si:simple-form-p value))
                    (parts (si:bind-arguments place simple))
                    (new (if simple value (gensym))))
               (si:let-form (if simple
                                (car parts)
                                (append (car parts) (list (list new value))))
                            `(,(si:setf-name operator) ,new ,@(cddr parts))))))))

  (defun si:setf-name (name)
    "The symbol that has the function (SETF NAME)."
    (intern (concatenate 'string "(SETF " (symbol-name name) ")")
            (symbol-package name)))

  (defun si:modify-form (place environment modify keep &optional bindings result)
    "A form that stores in a place the value of the form that the function MODIFY makes
of it. Variables in the place need no others if KEEP is true. The bindings come after
the place is known. The value is that of RESULT, if it is not NIL."
    (let* ((parts (si:bind-arguments (si:simple-place place environment) keep))
           (store `(setf ,(cdr parts) ,(funcall modify (cdr parts)))))
      (si:let-form (append (car parts) bindings)
                   (if result `(progn ,store ,result) store))))

  (defun si:put-property (list key value)
    "The property list with another value for a key."
    (if (si:find-key key list)
        (let ((result nil))
          (do ((rest list (cddr rest)))
              ((eq (car rest) key)
               (append (reverse result) (list* key value (cddr rest))))
            (setq result (list* (cadr rest) (car rest) result))))
        (list* key value list)))

  (defun si:remove-property (list key)
    "The property list without a key."
    (let ((result nil))
      (do ((rest list (cddr rest)))
          ((eq (car rest) key)
           (append (reverse result) (cddr rest)))
        (setq result (list* (cadr rest) (car rest) result))))))

(defmacro setf (&rest pairs &environment environment)
  (cond ((null pairs) nil)
        ((null (cdr pairs)) (error "~S has no value" (car pairs)))
        ((cddr pairs)
         `(progn (setf ,(car pairs) ,(cadr pairs))
                 (setf ,@(cddr pairs))))
        (t (si:setf-form (car pairs) (cadr pairs) environment))))

(defmacro defsetf (accessor setter)
  "Says that SETF of a call of ACCESSOR is a call of SETTER with one more argument, which
SETTER answers."
  `(eval-when (:compile-toplevel :load-toplevel :execute)
     (si:set-get ',accessor 'si:setf-function ',setter)
     ',accessor))

(defmacro incf (place &optional (delta 1) &environment environment)
  (si:modify-form place environment
                  #'(lambda (place) `(+ ,place ,delta))
                  (si:simple-form-p delta)))

(defmacro decf (place &optional (delta 1) &environment environment)
  (si:modify-form place environment
                  #'(lambda (place) `(- ,place ,delta))
                  (si:simple-form-p delta)))

(defmacro push (item place &environment environment)
  (si:with-value item
    #'(lambda (item)
        (si:modify-form place environment #'(lambda (place) `(cons ,item ,place)) t))))

(defmacro pushnew (item place &rest options &environment environment)
  (si:with-value item
    #'(lambda (item)
        (si:modify-form place environment
                        #'(lambda (place) `(adjoin ,item ,place ,@options))
                        (every #'si:simple-form-p options)))))

(defmacro pop (place &environment environment)
  (let ((parts (si:bind-arguments (si:simple-place place environment) t))
        (list (gensym)))
    `(let* (,@(car parts) (,list ,(cdr parts)))
       (setf ,(cdr parts) (cdr ,list))
       (car ,list))))

(defmacro remf (place indicator &environment environment)
  (let ((parts (si:bind-arguments (si:simple-place place environment)))
        (key (gensym)) (list (gensym)))
    `(let* (,@(car parts) (,key ,indicator) (,list ,(cdr parts)))
       (if (si:find-key ,key ,list)
           (progn (setf ,(cdr parts) (si:remove-property ,list ,key))
                  t)
           nil))))

(defmacro psetf (&rest pairs &environment environment)
  (if pairs
      (let ((parts (si:bind-arguments (si:simple-place (car pairs) environment)))
            (value (gensym)))
        `(let* (,@(car parts) (,value ,(cadr pairs)))
           (psetf ,@(cddr pairs))
           (setf ,(cdr parts) ,value)
           nil))
      nil))

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defun si:shift-form (places environment last)
    "Moves the values of places one place to the left. The value is that of the first
place; into the last one goes the value of the form LAST, or that of the first place if
it is NIL."
    (let* ((all (mapcar #'(lambda (place)
                            (si:bind-arguments (si:simple-place place environment)))
                        places))
           (values (mapcar #'(lambda (place) (gensym)) places))
           (new (gensym)))
      `(let* (,@(mapcan #'(lambda (parts value)
                            (append (car parts) (list (list value (cdr parts)))))
                        all values)
              (,new ,(or last (car values))))
         ,@(mapcar #'(lambda (parts value) `(setf ,(cdr parts) ,value))
                   all (append (cdr values) (list new)))
         ,(if last (car values) nil)))))

(defmacro rotatef (&rest places &environment environment)
  (if places
      (si:shift-form places environment nil)
      nil))

(defmacro shiftf (place &rest places-and-value &environment environment)
  (let ((all (cons place places-and-value)))
    (si:shift-form (butlast all) environment (car (last all)))))
