;;;; A program for counting what it costs to compile and to link it, and to load the
;;;; image that comes out of it.

(eval-when (:compile-toplevel)

  (defmacro choice (value &rest pairs)
    (if pairs
        (list 'if (list 'eq value (car pairs))
              (car (cdr pairs))
              (cons 'choice (cons value (cdr (cdr pairs)))))
        nil))

  (defmacro unless-nil (form &rest body)
    (list 'if form (cons 'progn body) nil)))

(defvar *names* '(ant bee cat (dog . "a string") #(1 2 3) 12345678 1.5))

(defun insert (item list)
  (let ((rest list) (before nil))
    (block search
      (tagbody
       next
         (unless-nil rest
           (if (< item (car rest))
               (return-from search nil))
           (setq before (cons (car rest) before) rest (cdr rest))
           (go next))))
    (setq rest (cons item rest))
    (tagbody
     next
       (unless-nil before
         (setq rest (cons (car before) rest) before (cdr before))
         (go next)))
    rest))

(defun adder (number)
  #'(lambda (x) (+ x number)))

(defun sum (first &optional (second 2) &key (third 3) fourth)
  (+ first (+ second (if fourth (+ third fourth) third))))

(defun choose (x)
  (choice x 1 "one" 2 "two" 3 "three" 4 "four"))

(defun apply-all (functions value)
  (let ((results nil))
    (flet ((note (result) (setq results (cons result results))))
      (tagbody
       next
         (unless-nil functions
           (note (funcall (car functions) value))
           (setq functions (cdr functions))
           (go next))))
    results))

(defun careful (function)
  (catch 'stopped
    (let ((*names* (cdr *names*)))
      (funcall function *names*))))
