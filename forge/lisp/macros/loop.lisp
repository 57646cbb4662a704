;;;; LOOP. A clause adds to the parts of the expansion while it is read:
;;;;
;;;; (block NAME
;;;;   (let* BINDINGS
;;;;     (tagbody
;;;;        PROLOGUE
;;;;      next
;;;;        BODY, in front of it what gives the variables their next values
;;;;        STEPS
;;;;        (go next)
;;;;      si:loop-end
;;;;        EPILOGUE
;;;;        (return-from NAME RESULT))))
;;;;
;;;; The parts are lists with the last element first.

(eval-when (:compile-toplevel :load-toplevel :execute)
  (defvar si:*loop-rest* nil "What has not been read.")
  (defvar si:*loop-name* nil)
  (defvar si:*loop-bindings* nil)
  (defvar si:*loop-prologue* nil)
  (defvar si:*loop-body* nil)
  (defvar si:*loop-steps* nil)
  (defvar si:*loop-epilogue* nil)
  (defvar si:*loop-result* nil)
  (defvar si:*loop-collector* nil "The variable of what is collected without INTO.")
  (defvar si:*loop-tails* nil "Variables of lists, each with that of its last cell.")
  (defvar si:*loop-first* nil "The variable that is true the first time round.")

  ;; Reading.

  (defun si:loop-word ()
    "The next form as a keyword, if it is a symbol."
    (let ((form (car si:*loop-rest*)))
      (if (and form (symbolp form))
          (intern (symbol-name form) :keyword)
          nil)))

  (defun si:loop-next ()
    "The next form."
    (unless si:*loop-rest*
      (error "something is missing at the end of the loop"))
    (pop si:*loop-rest*))

  (defun si:loop-accept (&rest words)
    "The next word, if it is one of these; then it has been read."
    (let ((word (si:loop-word)))
      (if (member word words)
          (progn (si:loop-next) word)
          nil)))

  (defun si:loop-compound-forms ()
    "The forms up to the next word."
    (let ((forms nil))
      (do () ((atom (car si:*loop-rest*)))
        (push (si:loop-next) forms))
      (reverse forms)))

  ;; Variables.

  (defun si:loop-bind (variable form)
    "Binds a variable, or those in a tree."
    (push (list variable form) si:*loop-bindings*)
    variable)

  (defun si:loop-bind-tree (tree)
    "Binds the variables in a tree to NIL."
    (cond ((null tree))
          ((symbolp tree) (si:loop-bind tree nil))
          (t (si:loop-bind-tree (car tree))
             (si:loop-bind-tree (cdr tree)))))

  (defun si:loop-set (tree form)
    "Forms that give the variables of a tree the parts of a value."
    (cond ((null tree) nil)
          ((symbolp tree) `((setq ,tree ,form)))
          (t
           (let ((value (gensym)))
             `((let ((,value ,form))
                 ,@(si:loop-set (car tree) `(car ,value))
                 ,@(si:loop-set (cdr tree) `(cdr ,value))))))))

  (defun si:loop-add (&rest forms)
    "Adds forms to the body."
    (dolist (form forms)
      (push form si:*loop-body*)))

  (defun si:loop-end-if (test)
    (si:loop-add `(if ,test (go si:loop-end) nil)))

  (defun si:loop-value (form)
    "A constant, or a variable that is bound to the value of a form."
    (if (si:constant-form-p form)
        form
        (si:loop-bind (gensym) form)))

  ;; FOR.

  (defun si:loop-for ()
    (do ((more t (si:loop-accept :and)))
        ((null more))
      (si:loop-accept :for :as)
      (let ((variable (si:loop-next))
            (word (si:loop-accept :in :on :across := :from :upfrom :downfrom
                                  :to :upto :downto :below :above :by :being)))
        (case word
          (:being (si:loop-for-being variable))
          (:in (si:loop-for-in variable))
          (:on (si:loop-for-on variable))
          (:across (si:loop-for-across variable))
          (:= (si:loop-for-equal variable))
          ((nil) (error "~S cannot follow ~S in a loop" (car si:*loop-rest*) variable))
          (t (si:loop-for-number variable word))))))

  (defun si:loop-step (list)
    "A form for the next tail of a list."
    (if (si:loop-accept :by)
        `(funcall ,(si:loop-value (si:loop-next)) ,list)
        `(cdr ,list)))

  (defun si:loop-for-being (variable)
    "The keys or values of a hash table, as they are in the beginning."
    (si:loop-accept :the :each)
    (let ((word (si:loop-accept :hash-key :hash-keys :hash-value :hash-values))
          (table (progn (si:loop-accept :of :in) (si:loop-next)))
          (other (if (si:loop-accept :using) (cadr (si:loop-next)) nil)))
      (unless word
        (error "keys or values of a hash table must follow BEING in a loop"))
      (si:loop-for-list (if (member word '(:hash-key :hash-keys))
                            (cons variable other)
                            (cons other variable))
                        `(si:hash-table-entries ,table))))

  (defun si:loop-for-in (variable)
    (si:loop-for-list variable (si:loop-next)))

  (defun si:loop-for-list (variable form)
    (let ((list (si:loop-bind (gensym) form)))
      (si:loop-bind-tree variable)
      (si:loop-end-if `(atom ,list))
      (dolist (form (si:loop-set variable `(car ,list)))
        (si:loop-add form))
      (si:loop-add `(setq ,list ,(si:loop-step list)))))

  (defun si:loop-for-on (variable)
    (let* ((simple (and variable (symbolp variable)))
           (list (si:loop-bind (if simple variable (gensym)) (si:loop-next))))
      (unless simple
        (si:loop-bind-tree variable))
      (si:loop-end-if `(atom ,list))
      (unless simple
        (dolist (form (si:loop-set variable list))
          (si:loop-add form)))
      (push `(setq ,list ,(si:loop-step list)) si:*loop-steps*)))

  (defun si:loop-for-across (variable)
    (let* ((vector (si:loop-bind (gensym) (si:loop-next)))
           (size (si:loop-bind (gensym) `(length ,vector)))
           (index (si:loop-bind (gensym) 0)))
      (si:loop-bind-tree variable)
      (si:loop-end-if `(>= ,index ,size))
      (dolist (form (si:loop-set variable `(aref ,vector ,index)))
        (si:loop-add form))
      (si:loop-add `(setq ,index (+ ,index 1)))))

  (defun si:loop-for-equal (variable)
    (let ((first (si:loop-next)))
      (si:loop-bind-tree variable)
      (cond ((si:loop-accept :then)
             (unless si:*loop-first*
               (setq si:*loop-first* (gensym))
               (push `(setq ,si:*loop-first* nil) si:*loop-steps*))
             (si:loop-add `(if ,si:*loop-first*
                               (progn ,@(si:loop-set variable first))
                               (progn ,@(si:loop-set variable (si:loop-next))))))
            (t (dolist (form (si:loop-set variable first))
                 (si:loop-add form))))))

  (defun si:loop-for-number (variable word)
    (let ((start 0) (limit nil) (step 1) (down nil) (test nil))
      (do ((word word (si:loop-accept :from :upfrom :downfrom :to :upto :downto
                                      :below :above :by)))
          ((null word))
        (let ((form (si:loop-value (si:loop-next))))
          (case word
            ((:from :upfrom) (setq start form))
            (:downfrom (setq start form down t))
            ((:to :upto) (setq limit form))
            (:below (setq limit form test '>=))
            (:downto (setq limit form down t))
            (:above (setq limit form down t test '<=))
            (t (setq step form)))))
      (si:loop-bind variable start)
      (when limit
        (si:loop-end-if `(,(or test (if down '< '>)) ,variable ,limit)))
      (push `(setq ,variable (,(if down '- '+) ,variable ,step)) si:*loop-steps*)))

  ;; What is done each time round. These answer forms.

  (defun si:loop-into (initial)
    "The variable behind INTO, or the one of the loop for what has no INTO. It begins
with the value of the form INITIAL."
    (cond ((si:loop-accept :into)
           (let ((variable (si:loop-next)))
             (unless (assoc variable si:*loop-bindings*)
               (si:loop-bind variable initial))
             variable))
          (t
           (unless si:*loop-collector*
             (setq si:*loop-collector* (si:loop-bind (gensym) initial))
             (setq si:*loop-result* si:*loop-collector*))
           si:*loop-collector*)))

  (defun si:loop-collect (word it)
    "Without INTO the list is made from the end, and turned round."
    (let* ((form (si:loop-operand it))
           (into (eq (si:loop-word) :into))
           (list (si:loop-into nil)))
      (unless into
        (setq si:*loop-result* `(nreverse ,list)))
      (cond ((and (eq word :collect) into)
             (let ((tail (si:loop-tail list)))
               `((setq ,tail (if ,tail
                                 (cdr (rplacd ,tail (list ,form)))
                                 (setq ,list (list ,form)))))))
            ((eq word :collect)
             `((setq ,list (cons ,form ,list))))
            (into
             (let ((tail (si:loop-tail list)))
               `((setq ,list (append ,list ,form))
                 (setq ,tail (last ,list)))))
            (t `((setq ,list (revappend ,form ,list)))))))

  (defun si:loop-tail (list)
    "The variable for the last cell of the list in a variable."
    (let ((tail (cdr (assoc list si:*loop-tails*))))
      (unless tail
        (setq tail (si:loop-bind (gensym) nil))
        (push (cons list tail) si:*loop-tails*))
      tail))

  (defun si:loop-accumulate (word it)
    (let* ((form (si:loop-operand it))
           (number (member word '(:sum :count)))
           (variable (si:loop-into (if number 0 nil))))
      (case word
        (:sum `((setq ,variable (+ ,variable ,form))))
        (:count `((if ,form (setq ,variable (+ ,variable 1)) nil)))
        (t
         (let ((value (gensym)))
           `((let ((,value ,form))
               (if (or (null ,variable)
                       (,(if (eq word :maximize) '> '<) ,value ,variable))
                   (setq ,variable ,value)
                   nil))))))))

  (defun si:loop-operand (it)
    "The next form; IT is the variable for the word IT, if there may be one."
    (if (and it (si:loop-accept :it))
        it
        (si:loop-next)))

  (defun si:loop-action (&optional it)
    "The forms of a clause that can be behind WHEN, or an error."
    (let ((word (si:loop-accept :do :doing :return :collect :collecting :append :appending
                                :nconc :nconcing :sum :summing :count :counting
                                :maximize :maximizing :minimize :minimizing
                                :when :if :unless)))
      (case word
        ((:do :doing) (si:loop-compound-forms))
        (:return `((return-from ,si:*loop-name* ,(si:loop-operand it))))
        ((:collect :collecting) (si:loop-collect :collect it))
        ((:append :appending :nconc :nconcing) (si:loop-collect :append it))
        ((:sum :summing) (si:loop-accumulate :sum it))
        ((:count :counting) (si:loop-accumulate :count it))
        ((:maximize :maximizing) (si:loop-accumulate :maximize it))
        ((:minimize :minimizing) (si:loop-accumulate :minimize it))
        ((:when :if) (si:loop-condition nil))
        (:unless (si:loop-condition t))
        (t (error "~S is not a clause of a loop" (car si:*loop-rest*))))))

  (defun si:loop-actions (it)
    "The forms of clauses with AND between them."
    (let ((forms (si:loop-action it)))
      (do () ((not (si:loop-accept :and)))
        (setq forms (append forms (si:loop-action it))))
      forms))

  (defun si:loop-condition (inverted)
    (let* ((test (si:loop-next))
           (it (if inverted nil (gensym)))
           (then (si:loop-actions it))
           (else (if (si:loop-accept :else) (si:loop-actions nil) nil)))
      (si:loop-accept :end)
      (cond (inverted `((if ,test (progn ,@else) (progn ,@then))))
            (t `((let ((,it ,test))
                   (if ,it (progn ,@then) (progn ,@else))))))))

  ;; Clauses.

  (defun si:loop-with ()
    (do ((more t (si:loop-accept :and)))
        ((null more))
      (let ((variable (si:loop-next))
            (form (if (si:loop-accept :=) (si:loop-next) nil)))
        (if (symbolp variable)
            (si:loop-bind variable form)
            (let ((value (si:loop-bind (gensym) form)))
              (si:loop-bind-tree variable)
              (dolist (form (si:loop-set variable value))
                (push form si:*loop-prologue*)))))))

  (defun si:loop-repeat ()
    (let ((count (si:loop-bind (gensym) (si:loop-next))))
      (si:loop-end-if `(<= ,count 0))
      (si:loop-add `(setq ,count (- ,count 1)))))

  (defun si:loop-clause ()
    "Reads a clause."
    (case (si:loop-accept :named :for :as :with :repeat :while :until :always :never
                          :thereis :initially :finally)
      (:named (setq si:*loop-name* (si:loop-next)))
      ((:for :as) (si:loop-for))
      (:with (si:loop-with))
      (:repeat (si:loop-repeat))
      (:while (si:loop-end-if `(not ,(si:loop-next))))
      (:until (si:loop-end-if (si:loop-next)))
      (:always
       (setq si:*loop-result* t)
       (si:loop-add `(if ,(si:loop-next) nil (return-from ,si:*loop-name* nil))))
      (:never
       (setq si:*loop-result* t)
       (si:loop-add `(if ,(si:loop-next) (return-from ,si:*loop-name* nil) nil)))
      (:thereis
       (let ((value (gensym)))
         (si:loop-add `(let ((,value ,(si:loop-next)))
                         (if ,value (return-from ,si:*loop-name* ,value) nil)))))
      (:initially
       (dolist (form (si:loop-compound-forms))
         (push form si:*loop-prologue*)))
      (:finally
       (dolist (form (si:loop-finally))
         (push form si:*loop-epilogue*)))
      (t (dolist (form (si:loop-action))
           (si:loop-add form)))))

  (defun si:loop-finally ()
    (if (si:loop-accept :return)
        `((return-from ,si:*loop-name* ,(si:loop-next)))
        (progn
          (si:loop-accept :do :doing)
          (si:loop-compound-forms))))

  (defun si:expand-loop (clauses)
    (let ((si:*loop-rest* clauses) (si:*loop-name* nil) (si:*loop-bindings* nil)
          (si:*loop-prologue* nil) (si:*loop-body* nil) (si:*loop-steps* nil)
          (si:*loop-epilogue* nil) (si:*loop-result* nil) (si:*loop-collector* nil)
          (si:*loop-tails* nil) (si:*loop-first* nil) (next (gensym)))
      (do () ((null si:*loop-rest*))
        (si:loop-clause))
      (when si:*loop-first*
        (si:loop-bind si:*loop-first* t))
      `(block ,si:*loop-name*
         (let* ,(reverse si:*loop-bindings*)
           (tagbody
              ,@(reverse si:*loop-prologue*)
              ,next
              ,@(reverse si:*loop-body*)
              ,@(reverse si:*loop-steps*)
              (go ,next)
              si:loop-end
              ,@(reverse si:*loop-epilogue*)
              (return-from ,si:*loop-name* ,si:*loop-result*)))))))

(defmacro loop (&rest clauses)
  "Without words, repeats forms for ever; else see the clauses."
  (if (every #'consp clauses)
      (let ((next (gensym)))
        `(block nil
           (tagbody
              ,next
              ,@clauses
              (go ,next))))
      (si:expand-loop clauses)))

(defmacro loop-finish ()
  "Ends a loop as if there was nothing more to do."
  '(go si:loop-end))
