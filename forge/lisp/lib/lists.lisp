;;;; Lists.

;;; Parts.

(defun caar (list) (car (car list)))
(defun cadr (list) (car (cdr list)))
(defun cdar (list) (cdr (car list)))
(defun cddr (list) (cdr (cdr list)))
(defun caaar (list) (car (car (car list))))
(defun caadr (list) (car (car (cdr list))))
(defun cadar (list) (car (cdr (car list))))
(defun caddr (list) (car (cdr (cdr list))))
(defun cdaar (list) (cdr (car (car list))))
(defun cdadr (list) (cdr (car (cdr list))))
(defun cddar (list) (cdr (cdr (car list))))
(defun cdddr (list) (cdr (cdr (cdr list))))
(defun cadddr (list) (car (cdr (cdr (cdr list)))))
(defun cddddr (list) (cdr (cdr (cdr (cdr list)))))

(defun first (list) (car list))
(defun second (list) (car (cdr list)))
(defun third (list) (car (cdr (cdr list))))
(defun fourth (list) (car (cdr (cdr (cdr list)))))
(defun fifth (list) (car (cdr (cdr (cdr (cdr list))))))
(defun rest (list) (cdr list))

(defun nthcdr (n list)
  "The list without its first N elements."
  (do ((n n (- n 1)))
      ((or (<= n 0) (null list)) list)
    (setq list (cdr list))))

(defun nth (n list)
  "Element N of a list, counted from 0."
  (car (nthcdr n list)))

(defun last (list &optional (n 1))
  "The last N cells of a list."
  (let ((ahead (nthcdr n list)))
    (do ((ahead ahead (cdr ahead))
         (list list (cdr list)))
        ((atom ahead) list))))

(defun butlast (list &optional (n 1))
  "A copy of the list without its last N elements."
  (let ((copy nil))
    (do ((ahead (nthcdr n list) (cdr ahead))
         (list list (cdr list)))
        ((atom ahead) (nreverse copy))
      (push (car list) copy))))

(defun nbutlast (list &optional (n 1))
  "Cuts off the last N elements."
  (let ((ahead (nthcdr n list)))
    (when ahead
      (do ((ahead (cdr ahead) (cdr ahead))
           (cell list (cdr cell)))
          ((atom ahead)
           (rplacd cell nil)
           list)))))

(defun endp (list)
  "True for the end of a list; an error for what is no list."
  (cond ((consp list) nil)
        ((null list) t)
        (t (si:wrong-type list 'list))))

(defun list-length (list)
  "How many elements a list has, NIL if it is circular."
  (do ((fast list (cddr fast))
       (slow list (cdr slow))
       (n 0 (+ n 2)))
      (nil)
    (cond ((null fast) (return n))
          ((null (cdr fast)) (return (+ n 1)))
          ((and (eq fast slow) (> n 0)) (return nil)))))

(defun tailp (tail list)
  "Whether TAIL is a tail of the list."
  (do ((list list (cdr list)))
      ((atom list) (eql tail list))
    (when (eq tail list)
      (return t))))

(defun ldiff (list tail)
  "A copy of what is in front of TAIL."
  (let ((copy nil))
    (do ((list list (cdr list)))
        ((or (atom list) (eq list tail))
         (nreverse copy))
      (push (car list) copy))))

(defun si:set-car (cell value)
  (rplaca cell value)
  value)

(defun si:set-cdr (cell value)
  (rplacd cell value)
  value)

(defun si:set-nth (n list value)
  (si:set-car (nthcdr n list) value))

;;; Construction.

(defun make-list (size &key initial-element)
  "A list of SIZE elements."
  (unless (<= 0 size 5000000)
    (error "A list of ~D elements is too large." size))
  (let ((list nil))
    (dotimes (index size list)
      (push initial-element list))))

(defun copy-list (list)
  "A list of the same elements."
  (if (atom list)
      list
      (let* ((copy (cons (car list) nil))
             (end copy))
        (do ((list (cdr list) (cdr list)))
            ((atom list)
             (when list
               (rplacd end list))
             copy)
          (let ((cell (cons (car list) nil)))
            (rplacd end cell)
            (setq end cell))))))

(defun copy-alist (alist)
  "Copies the list and its pairs."
  (mapcar #'(lambda (pair)
              (if (consp pair) (cons (car pair) (cdr pair)) pair))
          alist))

(defun copy-tree (tree)
  "Copies all cells of a tree."
  (if (consp tree)
      (let* ((copy (cons (copy-tree (car tree)) nil))
             (end copy))
        (do ((rest (cdr tree) (cdr rest)))
            ((atom rest)
             (when rest
               (rplacd end rest))
             copy)
          (let ((cell (cons (copy-tree (car rest)) nil)))
            (rplacd end cell)
            (setq end cell))))
      tree))

(defun revappend (list tail)
  "The elements in reverse order in front of TAIL."
  (dolist (element list tail)
    (push element tail)))

(defun nreconc (list tail)
  "Reverses the list itself, in front of TAIL."
  (let ((next nil))
    (do () ((atom list) tail)
      (setq next (cdr list))
      (rplacd list tail)
      (setq tail list)
      (setq list next))))

(defun si:append-two (list tail)
  (if (null list)
      tail
      (let ((copy (copy-list list)))
        (rplacd (last copy) tail)
        copy)))

(defun append (&rest lists)
  "One list of all elements; it shares the last list."
  (let ((result nil)
        (lists (reverse lists)))
    (when lists
      (setq result (car lists))
      (dolist (list (cdr lists))
        (setq result (si:append-two list result))))
    result))

(defun nconc (&rest lists)
  "Joins the lists themselves."
  (let ((result nil))
    (dolist (list (reverse lists) result)
      (cond ((null result) (setq result list))
            ((consp list)
             (rplacd (last list) result)
             (setq result list))))))

(defun acons (key value alist)
  "The association list with one more pair."
  (cons (cons key value) alist))

(defun pairlis (keys values &optional alist)
  "Pairs of keys and values in front of the association list."
  (do ((keys keys (cdr keys))
       (values values (cdr values)))
      ((or (atom keys) (atom values)) alist)
    (setq alist (acons (car keys) (car values) alist))))

;;; Search. An element matches if the test is true for the item and the key of the
;;; element.

(defun si:matching (item test key)
  "A predicate of elements that match the item."
  (cond ((and key test)
         #'(lambda (element) (funcall test item (funcall key element))))
        (key
         #'(lambda (element) (eql item (funcall key element))))
        (test
         #'(lambda (element) (funcall test item element)))
        (t
         #'(lambda (element) (eql item element)))))

(defun si:keyed (predicate key)
  "A predicate of elements: PREDICATE of their key."
  (if key
      #'(lambda (element) (funcall predicate (funcall key element)))
      predicate))

(defun member-if (predicate list &key key)
  "The tail of the list that begins with the first element that satisfies PREDICATE."
  (let ((predicate (si:keyed predicate key)))
    (do ((list list (cdr list)))
        ((endp list) nil)
      (when (funcall predicate (car list))
        (return list)))))

(defun member (item list &key test key)
  "The tail of the list that begins with the item."
  (if (or test key)
      (member-if (si:matching item test key) list)
      (do ((list list (cdr list)))
          ((endp list) nil)
        (when (eql item (car list))
          (return list)))))

(defun assoc-if (predicate alist &key key)
  "The first pair whose car satisfies PREDICATE."
  (let ((predicate (si:keyed predicate key)))
    (dolist (pair alist nil)
      (when (and pair (funcall predicate (car pair)))
        (return pair)))))

(defun assoc (item alist &key test key)
  "The first pair whose car is the item."
  (if (or test key)
      (assoc-if (si:matching item test key) alist)
      (dolist (pair alist nil)
        (when (and pair (eql item (car pair)))
          (return pair)))))

(defun rassoc (item alist &key test key)
  "The first pair whose cdr is the item."
  (let ((predicate (si:matching item test key)))
    (dolist (pair alist nil)
      (when (and pair (funcall predicate (cdr pair)))
        (return pair)))))

(defun adjoin (item list &key test key)
  "The list with the item in front, unless it is in it."
  (if (member (if key (funcall key item) item) list :test test :key key)
      list
      (cons item list)))

(defun getf (plist indicator &optional default)
  "The value of an indicator in a property list."
  (do ((plist plist (cddr plist)))
      ((endp plist) default)
    (when (eq (car plist) indicator)
      (return (cadr plist)))))

(defun si:store-property (plist indicator value)
  "The property list with the indicator set to the value."
  (do ((rest plist (cddr rest)))
      ((endp rest) (list* indicator value plist))
    (when (eq (car rest) indicator)
      (rplaca (cdr rest) value)
      (return plist))))

(defun si:remove-from-list (plist indicator)
  "The property list without the indicator; a second value tells whether it was there."
  (if (eq (car plist) indicator)
      (values (cddr plist) (consp plist))
      (do ((rest plist (cddr rest)))
          ((endp (cddr rest)) (values plist nil))
        (when (eq (caddr rest) indicator)
          (rplacd (cdr rest) (cddddr rest))
          (return (values plist t))))))

;;; Trees.

(defun subst (new old tree &key test key)
  "A copy of the tree with NEW in the place of OLD."
  (si:subst-if new (si:matching old test key) tree))

(defun subst-if (new predicate tree &key key)
  "A copy of the tree with NEW in the place of what satisfies PREDICATE."
  (si:subst-if new (si:keyed predicate key) tree))

(defun si:subst-if (new predicate tree)
  (cond ((funcall predicate tree) new)
        ((atom tree) tree)
        (t (let ((car (si:subst-if new predicate (car tree)))
                 (cdr (si:subst-if new predicate (cdr tree))))
             (if (and (eq car (car tree)) (eq cdr (cdr tree)))
                 tree
                 (cons car cdr))))))

(defun sublis (alist tree &key test key)
  "A copy of the tree with the cdrs of pairs in the place of their cars."
  (let ((pair (assoc (if key (funcall key tree) tree) alist :test test)))
    (cond (pair (cdr pair))
          ((atom tree) tree)
          (t (cons (sublis alist (car tree) :test test :key key)
                   (sublis alist (cdr tree) :test test :key key))))))

(defun tree-equal (a b &key test)
  "Whether two trees have the same shape and equal leaves."
  (cond ((and (consp a) (consp b))
         (and (tree-equal (car a) (car b) :test test)
              (tree-equal (cdr a) (cdr b) :test test)))
        ((or (consp a) (consp b)) nil)
        (test (funcall test a b))
        (t (eql a b))))

;;; Sets are lists.

(defun si:member-of (element list test key)
  (member (if key (funcall key element) element) list :test test :key key))

(defun union (a b &key test key)
  "The elements of both sets."
  (let ((result b))
    (dolist (element a result)
      (unless (si:member-of element b test key)
        (push element result)))))

(defun intersection (a b &key test key)
  "The elements that are in both sets."
  (let ((result nil))
    (dolist (element a (nreverse result))
      (when (si:member-of element b test key)
        (push element result)))))

(defun set-difference (a b &key test key)
  "The elements of A that are not in B."
  (let ((result nil))
    (dolist (element a (nreverse result))
      (unless (si:member-of element b test key)
        (push element result)))))

(defun set-exclusive-or (a b &key test key)
  "The elements that are in one of the sets only."
  (nconc (set-difference a b :test test :key key)
         (set-difference b a :test test :key key)))

(defun subsetp (a b &key test key)
  "Whether all elements of A are in B."
  (dolist (element a t)
    (unless (si:member-of element b test key)
      (return nil))))

;;; Functions of all elements.

(defun si:any-ended-p (lists)
  (dolist (list lists nil)
    (when (atom list)
      (return t))))

(defun si:cars (lists)
  (let ((result nil))
    (dolist (list lists (nreverse result))
      (push (car list) result))))

(defun si:step-lists (lists)
  "Replaces every list by its cdr."
  (do ((cell lists (cdr cell)))
      ((null cell) lists)
    (rplaca cell (cdr (car cell)))))

(defun mapc (function list &rest more)
  "Calls FUNCTION with the elements of the lists; the first list."
  (if (null more)
      (do ((rest list (cdr rest)))
          ((atom rest) list)
        (funcall function (car rest)))
      (do ((lists (cons list more) (si:step-lists lists)))
          ((si:any-ended-p lists) list)
        (apply function (si:cars lists)))))

(defun mapcar (function list &rest more)
  "The list of the results of FUNCTION for the elements of the lists."
  (let ((result nil))
    (if (null more)
        (do ((rest list (cdr rest)))
            ((atom rest))
          (push (funcall function (car rest)) result))
        (do ((lists (cons list more) (si:step-lists lists)))
            ((si:any-ended-p lists))
          (push (apply function (si:cars lists)) result)))
    (nreverse result)))

(defun mapcan (function list &rest more)
  "The joined results of FUNCTION for the elements of the lists."
  (apply #'nconc (apply #'mapcar function list more)))

(defun mapl (function list &rest more)
  "Calls FUNCTION with all tails of the lists; the first list."
  (do ((lists (cons list more) (si:step-lists lists)))
      ((si:any-ended-p lists) list)
    (apply function (copy-list lists))))

(defun maplist (function list &rest more)
  "The list of the results of FUNCTION for all tails of the lists."
  (let ((result nil))
    (do ((lists (cons list more) (si:step-lists lists)))
        ((si:any-ended-p lists) (nreverse result))
      (push (apply function (copy-list lists)) result))))

(defun mapcon (function list &rest more)
  "The joined results of FUNCTION for all tails of the lists."
  (apply #'nconc (apply #'maplist function list more)))
