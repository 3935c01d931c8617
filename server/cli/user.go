package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
)

func newUser(p program) *cobra.Command {
	return group(&cobra.Command{Use: "user", Short: "Add, list and help people from the console."},
		newUserAdd(p), newUserList(p), newUserReset(p), newUserSetPassword(p), newUserSetEmail(p), newUserImport(p), newUserExport(p))
}

type userAddCommand struct {
	storage

	Email, Name, Role string
}

func newUserAdd(p program) *cobra.Command {
	var c userAddCommand
	cmd := &cobra.Command{
		Use: "add", Short: "Add a person.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "Add a person. The password is asked for, or read as the first line of standard input.",
	}
	c.bind(cmd.Flags())
	cmd.Flags().StringVar(&c.Email, "email", "", "The e-mail `address` that the person signs in with; required.")
	cmd.Flags().StringVar(&c.Name, "name", "", "The person's `name`; required.")
	cmd.Flags().Var(oneOf(&c.Role, account.Member, account.Administrator), "role", "What the person may do.")
	_ = cmd.MarkFlagRequired("email")
	_ = cmd.MarkFlagRequired("name")
	return cmd
}

// Run adds the person.
func (c *userAddCommand) Run(p program) error {
	if fields := account.CheckIdentity(c.Name, c.Email); len(fields) > 0 {
		return misused{sentence(fields)}
	}
	return c.with(p, func(installation *server.Server) error {
		password, err := readPassword(p)
		if err != nil {
			return err
		}
		hash, err := installation.Passwords.New(p.ctx, password, c.Name, c.Email)
		if err != nil {
			return plain(err)
		}
		err = installation.Database.Write(p.ctx, func(ctx context.Context, tx database.Tx) error {
			if c.Role == account.Administrator {
				// Whether or not it is the first one, every setup link is void from now on.
				if _, err := account.ClaimFirstAdministrator(ctx, tx); err != nil {
					return err
				}
			}
			user, err := account.Create(ctx, tx, account.New{Name: c.Name, Email: c.Email, Role: c.Role, PasswordHash: hash})
			if err != nil {
				return err
			}
			return audit.Record(ctx, tx, audit.FromConsole().About(user.ID).Is(audit.UserCreated, audit.OK))
		})
		if err != nil {
			return plain(err)
		}
		fmt.Fprintf(p.out, "%s can sign in as %s.\n", strings.TrimSpace(c.Name), strings.TrimSpace(c.Email))
		return nil
	})
}

type userListCommand struct{ storage }

func newUserList(p program) *cobra.Command {
	c := userListCommand{storage{looksOnly: true}}
	cmd := &cobra.Command{Use: "list", Short: "List the people of the account.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run)}
	c.bind(cmd.Flags())
	return cmd
}

// Run lists everybody, page by page.
func (c *userListCommand) Run(p program) error {
	return c.existing(p, func(installation *server.Server) error {
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "NAME\tE-MAIL\tROLE\t2-STEP VERIFICATION\tCODES LEFT")
		query := account.Query{Sort: "name", Limit: 100}
		for {
			page, err := account.List(p.ctx, installation.Database.Read(), database.At(installation.Now()), query)
			if err != nil {
				return err
			}
			for _, person := range page.People {
				state, codes := "off", "-"
				if person.MFA() {
					state, codes = "on", fmt.Sprint(person.BackupCodesRemaining)
				} else if person.Enrolling {
					state = "enrolling"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", person.Name, person.Email, person.Role, state, codes)
			}
			if query.Cursor = page.Next; query.Cursor == "" {
				return table.Flush()
			}
		}
	})
}

type userSetPasswordCommand struct {
	storage

	Email string
}

func newUserSetPassword(p program) *cobra.Command {
	var c userSetPasswordCommand
	cmd := &cobra.Command{
		Use: "set-password", Short: "Give a person a new password.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "Give a person who has forgotten theirs a new password, and sign them out everywhere. Their second step stays as it is.\nThe password is asked for, or read as the first line of standard input.",
	}
	c.bind(cmd.Flags())
	cmd.Flags().StringVar(&c.Email, "email", "", "The person's e-mail `address`; required.")
	_ = cmd.MarkFlagRequired("email")
	return cmd
}

// Run sets the password.
func (c *userSetPasswordCommand) Run(p program) error {
	return c.existing(p, func(installation *server.Server) error {
		user, err := byEmail(p, installation, c.Email)
		if err != nil {
			return err
		}
		password, err := readPassword(p)
		if err != nil {
			return err
		}
		hash, err := installation.Passwords.New(p.ctx, password, user.Name, user.Email)
		if err != nil {
			return plain(err)
		}
		err = installation.Database.Write(p.ctx, func(ctx context.Context, tx database.Tx) error {
			return installation.SignIn.SetPassword(ctx, tx, audit.FromConsole(), user.ID, hash)
		})
		if err != nil {
			return plain(err)
		}
		fmt.Fprintf(p.out, "%s has a new password and is signed out everywhere.\n", user.Email)
		return nil
	})
}

// byEmail finds the person whom a command is about.
func byEmail(p program, installation *server.Server, email string) (*account.User, error) {
	key, err := account.EmailKey(email)
	if err != nil {
		return nil, misusedf("--email is not an e-mail address")
	}
	user, err := account.ByEmailKey(p.ctx, installation.Database.Read(), key)
	if err == nil && user == nil {
		err = errors.New("nobody of this account has that e-mail address: see secondstep user list")
	}
	return user, err
}

// readPassword asks twice on a terminal; elsewhere it takes the first line of standard input.
func readPassword(p program) (string, error) {
	if !isatty.IsTerminal(p.in.Fd()) {
		line, err := bufio.NewReader(io.LimitReader(p.in, 8192)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password from standard input: %w", err)
		}
		if line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"); line == "" {
			return "", misusedf("the first line of standard input must be the password")
		}
		return line, nil
	}
	first, err := ask(p, "New password: ")
	if err != nil {
		return "", err
	}
	second, err := ask(p, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", misusedf("the two passwords are not the same")
	}
	return first, nil
}

func ask(p program, question string) (string, error) {
	fmt.Fprint(p.errors, question)
	answer, err := term.ReadPassword(int(p.in.Fd()))
	fmt.Fprintln(p.errors)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(answer), nil
}

// plain makes a refusal readable on a terminal.
func plain(err error) error {
	var refusal *problem.Problem
	if !errors.As(err, &refusal) {
		return err
	}
	if len(refusal.Fields) > 0 {
		return sentence(refusal.Fields)
	}
	return errors.New(refusal.Detail)
}

// words are the sentences of refused fields.
var words = map[string]string{
	"required":                  "the name must not be empty",
	"too_long":                  "the name must have 100 characters at the most",
	"illegible":                 "the name must have letters that can be seen, and none that turn the text around",
	"email_unchanged":           "that is the person's e-mail address already",
	"web_address":               "the name must hold no web address",
	"email_invalid":             "the e-mail address is not one",
	"password_too_short":        "the password must have at least 12 characters",
	"password_too_long":         "the password must have 1,024 bytes at the most",
	"password_too_common":       "the password is among the first that anybody tries: choose another one",
	"password_contains_context": "the password is mostly the name, the e-mail address or the brand: choose another one",
}

func sentence(fields []problem.Field) error {
	said := make([]string, len(fields))
	for n, field := range fields {
		said[n] = words[field.Code]
		if said[n] == "" {
			said[n] = field.Name + ": " + field.Code
		}
	}
	return errors.New(strings.Join(said, "; "))
}
