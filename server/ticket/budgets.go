package ticket

import (
	"context"
	"fmt"
	"strings"

	"github.com/secondstep/secondstep/server/budget"
	"github.com/secondstep/secondstep/server/database"
)

// How much one may write (security.md row 47). Whoever is signed in is counted by their account, everybody else by their
// network.
var (
	ofAccount = budget.Budget{Of: "tickets of an account", Most: 10}
	ofNetwork = budget.Budget{Of: "tickets of a network", Most: 10}
	// A neighbourhood of IPv6 has 65536 networks, and there are as many neighbourhoods as somebody with a provider's block
	// likes. Both are counted before anything is looked for, so that who is refused costs no more than that; and the whole is
	// what the installation ever mails in an hour because of strangers. Who uses that up keeps others who can't sign in from
	// writing for an hour, which is less bad than a mail server that nobody takes mails from any more.
	ofNeighbourhood = budget.Budget{Of: "tickets of a neighbourhood", Most: 30}
	ofStrangers     = budget.Budget{Of: "tickets of strangers", Most: 500}
	// What a mailbox is sent because of strangers, whatever they make of its spelling: from each neighbourhood less than in all.
	// So whoever writes in somebody's name uses up their own part, and not what that somebody has who writes from elsewhere.
	// How many tickets wait for the address does not count: those that it has not written would keep it out until they are
	// over. (Three neighbourhoods together use up the whole, for an hour. Whoever can sign in writes without any mail.)
	forAddress        = budget.Budget{Of: "tickets for an address", Most: 5}
	forAddressFrom    = budget.Budget{Of: "tickets for an address from a neighbourhood", Most: 2}
	messagesOfAccount = budget.Budget{Of: "messages of an account", Most: 30}
	messagesOfNetwork = budget.Budget{Of: "messages of a network", Most: 30}
)

// mailboxOf is the address without what mail servers read as a note of its owner's ("ada+lists@…"): all of those are one
// mailbox, and have one budget.
func mailboxOf(emailKey string) string {
	at := strings.LastIndexByte(emailKey, '@')
	if at < 0 {
		return emailKey
	}
	local, _, _ := strings.Cut(emailKey[:at], "+")
	return local + emailKey[at:]
}

const (
	mostOpen     = 10  // that are not solved, of one person
	mostMessages = 200 // in a ticket
)

// holdAddress keeps everybody else away who writes for an address, or proves it, until the transaction ends.
func holdAddress(ctx context.Context, tx database.Tx, emailKey string) error {
	return budget.Hold(ctx, tx, "tickets of an address", emailKey)
}

// count counts tickets, up to a limit.
func count(ctx context.Context, tx database.Tx, most int, where string, args ...any) (int, error) {
	found := tx.NewSelect().Model((*Ticket)(nil)).ColumnExpr("1 AS one").Where(where, args...).Limit(int64(most))
	counted, err := tx.NewSelect().TableExpr("(?) AS counted", found).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count tickets: %w", err)
	}
	return int(counted), nil
}

// tooManyOpen reports whether somebody has as many tickets open as one can: of an account, or of an address that was proved.
func tooManyOpen(ctx context.Context, tx database.Tx, userID, emailKey string) (bool, error) {
	where, of := "t.user_id = ?", userID
	if userID == "" {
		where, of = "t.email_key = ? AND t.user_id IS NULL AND t.address_proved", emailKey
	}
	open, err := count(ctx, tx, mostOpen, where+" AND t.kind = 'help' AND t.state IN ('open', 'waiting')", of)
	return open >= mostOpen, err
}
