package mail

import (
	"context"
	"fmt"
	"net/mail"
	"strconv"
)

// Test sends a mail to the address at once and answers what the mail server said, word for word. Why it did not take
// the mail is the error.
func (m *Mail) Test(ctx context.Context, address string) (said string, err error) {
	to, err := mail.ParseAddress(address)
	if err != nil {
		return "", fmt.Errorf("%q is not an e-mail address", oneLine(address))
	}
	now := m.Now()
	id := "test-" + strconv.FormatInt(now.UnixNano(), 36)
	test := m.words.Test
	return m.Settings.hand(ctx, m.letter(m.Brand(ctx), &row{ID: id, Address: to.Address}, test, test.Text, 0), now)
}
