;;;; Leaving frames from inside: THROW, and RETURN-FROM and GO out of closures.
;;;;
;;;; A function that can be returned to publishes two locals in its frame's name
;;;; table: SI:*CATCH-RETURN-TO*, the tag, and SI:*CATCH-RETURN-PC*, where the
;;;; function goes on with the value on its stack. Of several pairs in one table
;;;; the later one is the inner one. SI:*CATCH-RETURN-FROM* instead says that the
;;;; function itself returns.
;;;;
;;;; Frames in between are discarded one by one, the innermost first: the frame of
;;;; the throwing function gets the next one as its caller, and the space becomes a
;;;; free block. If the discarded frame is called SI:*UNWIND-PROTECT* its first
;;;; argument is a function that is called afterwards. At last the throwing function
;;;; simply returns: to the frame that catches. A frame is meant by its offset in
;;;; the stack, that of its first word behind the basic frame.

(declaim (si:global il:\\stackoverflow il:\\storagefull il:\\pendinginterrupt si:*shrink-stack*))

(defmacro si:stack-address (offset)
  `(si:make-pointer 1 ,offset))

(defmacro si:frame-word (frame offset)
  `(si:word-at (si:stack-address ,frame) ,offset))

(defun si:frame-caller (frame)
  "The frame that called, or 0."
  (let ((link (si:frame-word frame 1)))
    ;; A slow frame has its own word for it.
    (- (if (eq (opcodes (logand2) link 1) 0)
           link
           (si:frame-word frame 9))
       10)))

(defun si:frame-function (frame)
  "The code block of the function."
  (if (eq si:*generation* 3)
      (si:pointer-at (si:stack-address frame) 2)
      (si:make-pointer (opcodes (logand2) (si:frame-word frame 3) 255)
                       (si:frame-word frame 2))))

(defun si:frame-name (frame)
  "The name of the function."
  (si:pointer-at (si:frame-function frame) 4))

(defun si:frame-arguments (frame)
  "Stack offset of the first argument."
  (si:frame-word (- frame 2) 1))

(defun si:frame-argument-count (frame)
  "How many arguments the frame has."
  (let ((basic (if (eq (opcodes (logand2) (si:frame-word frame 1) 1) 0)
                   (- frame 2)
                   (si:frame-word frame 8))))
    (opcodes (lrsh1) (- basic (si:frame-arguments frame)))))

(defun si:frame-argument (frame index)
  "An argument, counted from 0."
  (si:pointer-at (si:stack-address (+ (si:frame-arguments frame) (* 2 index))) 0))

(defun si:frame-slot (frame index)
  "A local variable, counted from 0."
  (si:pointer-at (si:stack-address (+ frame 10 (* 2 index))) 0))

(defun si:find-catch (tag frame)
  "Looks in the callers of FRAME. The frame, the place to go on or NIL to return
from the function instead; NIL if there is none."
  (block search
    (tagbody
     next
       (setq frame (si:frame-caller frame))
       (when (<= frame 0)
         (return-from search nil))
       (let* ((code (si:frame-function frame))
              (words (si:word-at code 6))
              (place 0)
              (found nil)
              (pc nil))
         (tagbody
          entry
            (when (< place words)
              (let* ((names (si:add-words code (+ place 8)))
                     (name (si:pointer-at names 0)))
                (when name
                  (let ((slot (si:word-at (si:add-words names words) 1)))
                    (cond ((eq name 'si:*catch-return-to*)
                           (if (eq (si:frame-slot frame slot) tag)
                               (setq found t pc nil)
                               (when (null pc)
                                 (setq found nil))))
                          ((eq name 'si:*catch-return-pc*)
                           (when (and found (null pc))
                             (setq pc (si:frame-slot frame slot))))
                          ((eq name 'si:*catch-return-from*)
                           (when (eq (si:frame-slot frame slot) tag)
                             (return-from search (list frame nil))))))
                  (setq place (+ place 2))
                  (go entry)))))
         (when (and found pc)
           (return-from search (list frame pc))))
       (go next))))

(defun si:discard-frame (frame child)
  "FRAME called CHILD: makes CHILD return to the caller of FRAME instead. The
function to call for it, or NIL."
  (let* ((caller (si:frame-caller frame))
         (cleanup (when (eq (si:frame-name frame) 'si:*unwind-protect*)
                    (si:frame-argument frame 0)))
         (child-address (si:stack-address child))
         (moved (not (eq (opcodes (logand2) (si:frame-word (- frame 2) 0) 512) 0)))
         (start (if moved (- frame 2) (si:frame-arguments frame)))
         (free (si:stack-address start))
         (size (- (si:frame-word frame 4) start)))
    ;; A fast frame has its basic frame in front of it.
    (when (eq (opcodes (logand2) (si:frame-word child 1) 1) 0)
      (si:set-word child-address 8 (- child 2)))
    (si:set-word child-address 9 (+ caller 10))
    (si:set-word child-address 1 (+ caller 11))
    ;; The arguments of a frame that was moved have stayed where they were.
    (when moved
      (let* ((basic (si:frame-word frame 8))
             (arguments (si:frame-word basic 1))
             (arguments-address (si:stack-address arguments)))
        (si:set-word (si:set-word arguments-address 1 (- (+ basic 2) arguments)) 0 #xA000)))
    (si:set-word (si:set-word free 1 size) 0 #xA000)
    cleanup))

(defun si:unwind (target child)
  "Discards the frames between."
  (let ((frame (si:frame-caller child)))
    (tagbody
     next
       (unless (eq frame target)
         (let* ((caller (si:frame-caller frame))
                (cleanup (si:discard-frame frame child)))
           (setq frame caller)
           (when cleanup
             (funcall cleanup))
           (go next))))))

(defun si:unwind-to (target pc child)
  "Makes CHILD return to TARGET, at PC unless that is NIL."
  (si:unwind target child)
  (let ((address (si:stack-address target)))
    ;; An interrupted frame would drop the value.
    (si:set-word address 0 (opcodes (logand2) (si:word-at address 0) #xFEFF))
    (when pc
      (si:set-word address 5 pc)))
  ;; The stack was nearly full. Lisp is warned again when it grows further, and at
  ;; the next tick it becomes short again.
  (when il:\\stackoverflow
    (setq il:\\stackoverflow nil)
    (setq si:*shrink-stack* t)
    (setq il:\\pendinginterrupt t))
  ;; The same with storage.
  (when il:\\storagefull
    (setq il:\\storagefull nil)))

(defun si:unwind-to-catch (tag child)
  "Makes CHILD return to what catches TAG; NIL if nothing does."
  (let ((catch (si:find-catch tag child)))
    (when catch
      (let ((frame (car catch)) (pc (car (cdr catch))))
        (si:unwind-to (if pc frame (si:frame-caller frame)) pc child)
        t))))

(defmacro si:this-frame-called ()
  "The frame of the caller of this function."
  `(opcodes (myalink)))

(defun si:throw-from-caller (tag)
  "Makes the calling function return to what catches TAG."
  (unless (si:unwind-to-catch tag (si:this-frame-called))
    (si:no-catch tag)))

(defun si:internal-throw (tag &rest values)
  (si:throw-from-caller tag)
  (values-list values))

(defun si:internal-throw-values (tag values)
  (si:throw-from-caller tag)
  (values-list values))

(defun si:non-local-return (tag &rest values)
  (si:throw-from-caller tag)
  (values-list values))

(defun si:non-local-return-values (tag values)
  (si:throw-from-caller tag)
  (values-list values))

(defun si:go-from-caller (tag pc)
  (let ((catch (si:find-catch tag (si:this-frame-called))))
    (unless catch
      (error 'control-error :format-control "GO to a place that has been left."))
    (si:unwind-to (car catch) pc (si:this-frame-called))))

(defun si:non-local-go (tag pc)
  (si:go-from-caller tag pc)
  t)

;;; What reads several values calls this with one.
(defun il:\\mvlist (value)
  (cons value nil))
