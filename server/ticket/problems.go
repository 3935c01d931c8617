package ticket

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room.
var (
	// ErrNoTicket is the one answer to whoever may not see a ticket, whether there is one or not.
	ErrNoTicket = problem.New(http.StatusNotFound, "no_ticket", "There is no such ticket, or the key is not its own.")
	// ErrTooManyTickets comes with when it works again, but where the account has too many open ones.
	ErrTooManyTickets = problem.New(http.StatusTooManyRequests, "too_many_tickets", "There are many tickets from here already. Go on in one of them, or try again later.")
	// ErrTooManyMessages comes with when it works again.
	ErrTooManyMessages = problem.New(http.StatusTooManyRequests, "too_many_messages", "Many messages were sent from here within an hour. Wait, then try again.")
	// ErrThreadFull refuses more messages than anybody reads.
	ErrThreadFull = problem.New(http.StatusConflict, "thread_full", "This ticket has as many messages as one can have. Open a new one.")
	// ErrProved refuses to throw away what somebody has said is theirs: the support has it.
	ErrProved = problem.New(http.StatusConflict, "ticket_proved", "This ticket is with the support already. Say there that it is solved.")
	// ErrSolved refuses an answer to what is solved: it would be seen by nobody.
	ErrSolved = problem.New(http.StatusConflict, "ticket_solved", "This ticket is solved. Reopen it first.")
	// ErrOwnRecovery refuses to speak for the support in one's own: others decide by what stands there (security.md row 53).
	ErrOwnRecovery = problem.New(http.StatusForbidden, "own_recovery", "Nobody decides about their own request. Ask another administrator.")
	// ErrRecovery refuses to solve or reopen what asks to get back in: that ends by a decision.
	ErrRecovery = problem.New(http.StatusConflict, "recovery_ticket", "This ticket asks to get back in. It ends with the decision on it.")
)
