;;;; The first function, the second context, interrupts, and the end.
;;;;
;;;; There are two contexts, stacks of their own: that of the user, and that of the
;;;; system, whose frame is in word 1 of the interface page while the user's runs
;;;; and the other way round. The machine enters the system context when the user
;;;; stack is full: Lisp then starts afresh. Lisp enters it to do what cannot be
;;;; done in the user stack, by SI:SYSTEM-CALL.

(declaim (si:global il:\\interruptstate il:\\reclaim.countdown il:\\storagefullstate
                    il:\\systemcachevars il:\\pendinginterrupt il:\\keyboardeventqueue
                    il:\\keybuffering))

(defvar si:*initial-functions* nil
  "What is still to be done before the program starts.")
(defvar si:*main* nil
  "The function that is the program, or NIL for the top level of Lisp.")
(defvar si:*restarts* 0
  "How many times Lisp was started afresh because its stack was full.")
(defvar si:*system-request* nil)
(defvar si:*system-result* nil)
(defvar si:*image-name* nil)
(defvar si:*shrink-stack* nil
  "True if the stack has become long and can be short again.")
(defvar si:*interactive* nil
  "Whether there is a user who sees a prompt and goes on after an error.")
(defvar si:*restart-hooks* nil
  "Functions to call in a saved image that has been started.")
(declaim (si:global si:*initial-functions* si:*main* si:*restarts* si:*system-request*
                    si:*system-result* si:*image-name* si:*shrink-stack*
                    si:*interactive* si:*restart-hooks*))

;;; Where the stack begins and ends, as the linker lays it out.
(defconstant si:+system-frame+ 4)
(defconstant si:+user-stack+ #x300)
(defconstant si:+least-end+ #x17FE)
(defconstant si:+guard-end+ #xEFFE)

(defun il:\\cold-start ()
  "The first function of the user stack. It must not depend on what lies on its
evaluation stack."
  (tagbody
   again
     (si:start)
     (go again)))

(defun si:start ()
  "Runs the program, or the top level of Lisp. What throws to SI:TOP-LEVEL ends a
program with status 1; the top level begins again."
  (catch 'si:top-level
    (when (and (> si:*restarts* 0) (not si:*interactive*))
      (si:console-message "The stack is full.")
      (si:quit 1))
    (do () ((null si:*initial-functions*))
      (let ((function (car si:*initial-functions*)))
        (setq si:*initial-functions* (cdr si:*initial-functions*))
        (funcall function)))
    (if si:*main*
        (funcall si:*main*)
        (si:top-level))
    (si:quit 0))
  (when si:*main*
    (si:quit 1)))

(defun si:quit (status)
  "Ends the session."
  (si:console-flush)
  (opcodes (subrcall 13 2) nil status))

;;; The system context.

(defmacro si:switch-context ()
  `(progn (opcodes (contextswitch) 1) nil))

(defun si:system-call (request)
  "Has the system context do something; its result."
  (setq si:*system-request* request)
  (si:switch-context)
  si:*system-result*)

(defun il:\\resetstack ()
  "The function of the system context."
  (tagbody
   again
     (let ((request si:*system-request*))
       (setq si:*system-request* nil)
       (cond ((eq request 'si:save) (si:write-image))
             ((eq request 'si:shrink) (si:shrink-user-stack))
             (t (si:restart-user-stack))))
     (si:switch-context)
     (go again)))

(defun si:make-frame (place function end)
  "Makes a frame at PLACE that is about to execute the first instruction of the
compiled function of a symbol without arguments; the space up to END is free. The
frame."
  (let* ((code (si:pointer-at (opcodes (atomcell.n 10) function) 0))
         (slots (* 4 (opcodes (logand2) (+ (si:word-at code 2) 1) 65535)))
         (frame (+ place 2))
         (basic (si:stack-address place))
         (address (si:stack-address frame))
         (next (+ frame 10 slots 4))
         (free (si:stack-address next)))
    (si:set-word (si:set-word basic 0 #x8000) 1 place)
    (si:set-word (si:set-word address 0 #xC100) 1 11)
    (if (eq si:*generation* 3)
        (si:set-pointer address 2 code)
        (si:set-word (si:set-word address 2 (si:low code)) 3 (si:high code)))
    (si:set-word address 4 next)
    (si:set-word address 5 (si:word-at code 3))
    (si:set-word address 8 place)
    (si:set-word address 9 10)
    (do ((slot 0 (+ slot 1)))
        ((>= slot slots))
      (si:set-word (si:stack-address (+ frame 10 slot)) 0 65535))
    (si:set-word (si:set-word free 0 #xA000) 1 (- end next))
    frame))

(defun si:set-stack-end (end)
  (let ((address (si:stack-address end)))
    (si:set-word (si:set-word address 0 #xE000) 1 2)
    (si:set-word si:*interface-page* 7 end)))

(defun si:restart-user-stack ()
  "Forgets everything on the user stack."
  (setq si:*shrink-stack* nil)
  (si:set-word (si:set-word il:\\interruptstate 0 0) 1 0)
  (setq si:*restarts* (+ si:*restarts* 1))
  (setq il:\\stackoverflow nil)
  (setq si:*allocating* nil)
  (si:set-stack-end si:+least-end+)
  (si:set-word si:*interface-page* 1
               (si:make-frame si:+user-stack+ 'il:\\cold-start si:+least-end+)))

(defun si:shrink-user-stack ()
  "Gives back the space of the stack beyond which Lisp is warned, if the user's
frame is the last one before it."
  (let* ((frame (si:word-at si:*interface-page* 1))
         (next (si:frame-word frame 4))
         (end (si:word-at si:*interface-page* 7))
         (at next))
    (do () ((not (eq (si:frame-word at 0) #xA000)))
      (setq at (+ at (si:frame-word at 1))))
    (when (and (eq at end) (> end si:+guard-end+) (< (+ next 1024) si:+guard-end+))
      (let ((free (si:stack-address next)))
        (si:set-word (si:set-word free 0 #xA000) 1 (- si:+guard-end+ next))
        (si:set-stack-end si:+guard-end+)
        (setq il:\\stackoverflow nil)
        (setq si:*shrink-stack* nil)))))

(defun si:shrink-stack ()
  "Called where an error was handled, now that the functions in between are gone: does
not wait for the next tick, for what comes now may recur as deeply again."
  (when si:*shrink-stack*
    (si:system-call 'si:shrink)))

(defun si:join-strings (first second)
  "A new string of thin characters."
  (let* ((size (si:array-fill first))
         (string (si:make-array-of (+ size (si:array-fill second)) 67)))
    (dotimes (index (si:array-fill string))
      (opcodes (aset1)
               (if (< index size)
                   (opcodes (aref1) first index)
                   (opcodes (aref1) second (- index size)))
               string
               index))
    string))

;;; Saving. In the saved image the user's frame goes on with the result T, and the
;;; system context, which was at work, is made anew.

(defun si:write-image ()
  (si:set-word si:*interface-page* 0 (si:word-at si:*interface-page* 1))
  (setq si:*system-result* t)
  (setq si:*system-result* (opcodes (subrcall 89 1) si:*image-name*)))

(defun si:save-image (name)
  "Saves the image in a file. NIL when that is done, a number if it is not possible,
T in the saved image when it is started."
  (si:console-flush)
  (setq si:*image-name* (si:host-name name))
  (dotimes (time 3)
    (opcodes (subrcall 92 0)))
  (si:register-count-pages)
  (let ((result (si:system-call 'si:save)))
    (when (eq result t)
      (si:set-word si:*interface-page* 1
                   (si:make-frame si:+system-frame+ 'il:\\resetstack (- si:+user-stack+ 2)))
      (setq si:*restarts* 0)
      (dolist (variable il:\\systemcachevars)
        (set variable nil))
      (si:console-forget)
      (dolist (hook si:*restart-hooks*)
        (funcall hook)))
    result))

(defun si:register-count-pages ()
  "Makes the pages of the table of count collisions that are in use part of the
image."
  (let* ((words (if (eq si:*generation* 3)
                    (* 2 (si:cell-number si:*collision-table* 2))
                    (si:word-at si:*collision-table* 1)))
         (pages (opcodes (lsh) (+ words 255) -8)))
    (dotimes (page pages)
      (opcodes (subrcall 91 1) (si:add-words si:*collision-table* (* 256 page))))))

;;; Interrupts: calls from the machine between two instructions.

(defun il:\\doreclaim ()
  "It is time to collect."
  (if si:*allocating*
      (setq il:\\reclaim.countdown 10)
      (opcodes (subrcall 92 0))))

(defun il:\\dobufferedtransitions ()
  "Keys were pressed, of which nobody wants to know: empties their ring."
  (si:set-word il:\\keyboardeventqueue 0 0)
  (setq il:\\keybuffering nil))

(defun il:\\periodic.interruptframe () nil)

(defmacro si:interrupt-bit-p (bits mask)
  `(not (eq (opcodes (logand2) ,bits ,mask) 0)))

(defun il:\\interruptframe ()
  "Something wants Lisp's attention: the bits of the interrupt state say what."
  (if si:*allocating*
      (setq il:\\pendinginterrupt t)
      (let* ((state il:\\interruptstate)
             (bits (si:word-at state 0))
             (character (si:word-at state 1)))
        ;; Everything is served at once.
        (si:set-word (si:set-word state 0 0) 1 0)
        (when si:*shrink-stack*
          (si:system-call 'si:shrink)
          ;; Perhaps at the next tick, when fewer frames are there.
          (when si:*shrink-stack*
            (setq il:\\pendinginterrupt t)))
        (cond ((si:interrupt-bit-p bits #x0400)
               (error "The stack is nearly full."))
              ((si:interrupt-bit-p bits #x0200)
               (error "Storage is nearly full."))
              ((si:interrupt-bit-p bits #x0800)
               (si:console-message "The image is nearly as large as a file can be."))
              ((si:interrupt-bit-p bits #x1000)
               (si:console-message "Too many objects are shared: garbage is not collected any more."))
              ((si:interrupt-bit-p bits #x0100)
               (si:user-interrupt character))))))
