package demo

import (
	"context"
	"encoding/base32"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/totp"
)

// The browsers of the company.
var agents = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
	"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
}

// The browsers in their pockets.
var pockets = []string{
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
}

// office is where most of them sit, behind one address. The addresses of the demo are those set aside for examples.
var office = netip.AddrFrom4([4]byte{203, 0, 113, 7})

// elsewhere is a place outside, one for each number.
func elsewhere(n int) netip.Addr {
	if n%3 == 0 {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, byte(n), 0, 1, 15: byte(10 + n)})
	}
	return netip.AddrFrom4([4]byte{198, 51, 100, byte(10 + n)})
}

// person is somebody of the company, with what they hold in their hands.
type person struct {
	story             *story
	id, name, address string
	role              string
	desk, pocket      *browser
	phone             []byte   // the secret in the authenticator app
	codes             []string // the backup codes on their piece of paper, without those that are used
	state             string   // for the instructions; empty where they are one of many
	link              string   // the enrolment link that they were given
}

// joins adds somebody to the company. The state is told in the instructions.
func (s *story) joins(name, role, state string) *person {
	number := len(s.people)
	given, _, _ := strings.Cut(name, " ")
	p := &person{
		story: s, name: name, role: role, state: state, address: strings.ToLower(given) + "@example.org",
		desk: s.browser(agents[pick(len(agents), "desk", name)], office), pocket: s.browser(pockets[pick(len(pockets), "pocket", name)], elsewhere(number)),
	}
	s.people = append(s.people, p)
	return p
}

// added adds the person as the console does.
func (p *person) added(hash string) error {
	return p.story.installation.Database.Write(p.story.ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Create(ctx, tx, account.New{Name: p.name, Email: p.address, Role: p.role, PasswordHash: hash})
		if err != nil {
			return err
		}
		p.id = user.ID
		return audit.Record(ctx, tx, audit.FromConsole().About(user.ID).Is(audit.UserCreated, audit.OK))
	})
}

// shows is what the person's phone shows.
func (p *person) shows() string { return totp.Code(p.phone, totp.Step(p.story.clock.Now())) }

func (p *person) scan(secret string) error {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	p.phone = raw
	return err
}

// gives sends the password.
func (p *person) gives(b *browser, password string, wanted ...int) (*said, error) {
	return b.do(http.MethodPost, "/api/v1/sign-in", map[string]string{"email": p.address, "password": password}, wanted...)
}

// sends sends a code as the second step.
func (p *person) sends(b *browser, code string, wanted ...int) (*said, error) {
	path := "/api/v1/sign-in/totp"
	if len(code) > totp.Digits {
		path = "/api/v1/sign-in/backup-code"
	}
	return b.do(http.MethodPost, path, map[string]string{"code": code}, wanted...)
}

// signsIn signs in with whatever is asked for.
func (p *person) signsIn(b *browser) error {
	came, err := p.gives(b, Password, http.StatusOK)
	if err != nil {
		return err
	}
	if came.State == "second_step" {
		// The answer to the password may take them into the next code: it is read when it is typed.
		p.story.clock.nextStep()
		if _, err := b.sendCode(p.shows()); err != nil {
			return err
		}
	}
	_, err = b.do(http.MethodGet, "/api/v1/session", nil, http.StatusOK)
	return err
}

// sendCode sends the code that a phone shows at this very time.
func (b *browser) sendCode(code string) (*said, error) {
	return b.send(http.MethodPost, "/api/v1/sign-in/totp", map[string]string{"code": code}, http.StatusOK)
}

// usesCode signs in with the next backup code of the paper.
func (p *person) usesCode(b *browser) error {
	if _, err := p.gives(b, Password, http.StatusOK); err != nil {
		return err
	}
	if _, err := p.sends(b, p.codes[0], http.StatusOK); err != nil {
		return err
	}
	p.codes = p.codes[1:]
	return p.leaves(b)
}

// leaves signs out.
func (p *person) leaves(b *browser) error {
	_, err := b.do(http.MethodDelete, "/api/v1/session", nil, http.StatusNoContent)
	return err
}

const security = "/api/v1/users/me/security"

// begins shows the QR code of a new app and lets the phone scan it.
func (p *person) begins(b *browser, device, replaces string) (enrolment string, err error) {
	with := map[string]string{"name": device}
	if replaces != "" {
		with["replaces"] = replaces
	}
	begun, err := b.do(http.MethodPost, security+"/enrolments", with, http.StatusCreated)
	if err != nil {
		return "", err
	}
	return begun.ID, p.scan(begun.Secret)
}

// confirms gives the first code of the new app and writes the backup codes down, if there are new ones.
func (p *person) confirms(b *browser, enrolment string) error {
	p.story.clock.nextStep()
	confirmed, err := b.send(http.MethodPost, security+"/enrolments/"+enrolment+"/confirm", map[string]string{"code": p.shows()}, http.StatusOK)
	if err != nil {
		return err
	}
	if len(confirmed.BackupCodes) > 0 {
		p.codes = confirmed.BackupCodes
	}
	return nil
}

// enrols signs in and turns 2-step verification on.
func (p *person) enrols(device string) error {
	if err := p.signsIn(p.desk); err != nil {
		return err
	}
	enrolment, err := p.begins(p.desk, device, "")
	if err != nil {
		return err
	}
	if err := p.confirms(p.desk, enrolment); err != nil {
		return err
	}
	_, err = p.desk.do(http.MethodPost, security+"/enrolments/"+enrolment+"/activate", nil, http.StatusOK)
	p.story.clock.nextStep()
	return err
}

// app is the id of the person's first app.
func (p *person) app(b *browser) (string, error) {
	page, err := b.do(http.MethodGet, security, nil, http.StatusOK)
	if err != nil {
		return "", err
	}
	if len(page.MFA.Factors) == 0 {
		return "", fmt.Errorf("the story breaks: %s has no app", p.name)
	}
	return page.MFA.Factors[0].ID, nil
}

// wrong is a code that the phone does not show, today or tomorrow.
func (p *person) wrong(n int) string {
	now := totp.Step(p.story.clock.Now())
	const day = 24 * 60 * 2 // steps
	for guess := pick(1_000_000, p.name, n); ; guess++ {
		code := fmt.Sprintf("%06d", guess%1_000_000)
		if len(totp.Match(p.phone, code, now-day, now+day)) == 0 {
			return code
		}
	}
}

// device is what somebody calls their phone.
func (p *person) device() string {
	if strings.Contains(p.pocket.agent, "iPhone") {
		return "iPhone"
	}
	return "Pixel"
}

// works lets the person sign in on some of the working days of a stretch, most times at the desk.
func (p *person) works(from, to int) {
	for day := from; day >= to; day-- {
		date := p.story.until.AddDate(0, 0, -day)
		if date.Weekday() == time.Saturday || date.Weekday() == time.Sunday || pick(4, p.name, "works", day) != 0 {
			continue
		}
		at := 7*time.Hour + time.Duration(pick(10*60*60, p.name, "at", day))*time.Second
		b := p.desk
		if pick(6, p.name, "away", day) == 0 {
			b = p.pocket
		}
		p.story.plan(day, at, func() error {
			if pick(9, p.name, "slip", day) == 0 {
				if _, err := p.gives(b, Password+"?", http.StatusUnauthorized); err != nil {
					return err
				}
			}
			if err := p.signsIn(b); err != nil || pick(3, p.name, "leaves", day) > 0 {
				return err
			}
			return p.leaves(b)
		})
	}
}
