;;;; Tables: association lists, property lists, hash tables.

(defvar *table-symbols*
  '(ant bee cat dog elk fox gnu hen ibis jay kite lark mole newt owl pig))

(defun table-numbers (symbols)
  "Pairs of SYMBOLS and numbers from 1."
  (let ((number 0))
    (mapcar #'(lambda (symbol)
                (setq number (+ number 1))
                (cons symbol number))
            symbols)))

;;; Lists.

(defun table-lists (rounds)
  (let ((pairs (table-numbers *table-symbols*)) (sum 0))
    (dolist (pair pairs)
      (setf (get (car pair) 'table-number) (cdr pair))
      (setf (get (car pair) 'table-square) (* (cdr pair) (cdr pair))))
    (dotimes (i rounds sum)
      (dolist (symbol *table-symbols*)
        (setq sum (logand 8191 (+ sum
                                  (cdr (assoc symbol pairs))
                                  (get symbol 'table-number)
                                  (length (member symbol *table-symbols*)))))))))

(define-benchmark "alist" 1000 (table-lists 20) 8160)

;;; Hash tables with symbols and numbers as keys: filled, asked, and emptied again.

(defvar *hash-eql* (make-hash-table :test #'eql :size 200))

(defun hash-eql (rounds)
  (let ((table *hash-eql*) (sum 0))
    (dolist (pair (table-numbers *table-symbols*))
      (setf (gethash (car pair) table) (cdr pair)))
    (dotimes (i rounds)
      (dolist (symbol *table-symbols*)
        (setq sum (logand 8191 (+ sum (gethash symbol table))))))
    (dotimes (i 100)
      (setf (gethash i table) (+ i i)))
    (dotimes (i 200)
      (setq sum (+ sum (gethash i table 1))))
    (dotimes (i 100)
      (remhash i table))
    (+ sum (hash-table-count table))))

(define-benchmark "hash" 400 (hash-eql 10) 11376)

;;; Hash tables with strings and lists as keys.

(defvar *hash-equal* (make-hash-table :test #'equal :size 100))

(defun hash-equal (rounds)
  (let ((table *hash-equal*) (sum 0) (keys nil))
    (dolist (pair (table-numbers *table-symbols*))
      (setq keys (cons (symbol-name (car pair)) (cons (list (cdr pair) 'key) keys))))
    (clrhash table)
    (dolist (key keys)
      (setf (gethash key table) (length key)))
    (dotimes (i rounds sum)
      (dolist (key keys)
        (setq sum (+ sum (gethash key table)))))))

(define-benchmark "hash-equal" 900 (hash-equal 5) 425)
