package demo

import (
	"net/http"
	"time"

	"github.com/secondstep/secondstep/server/factor/totp"
)

// replaces puts a new phone in the place of the old one.
func (p *person) replaces() error {
	if err := p.signsIn(p.desk); err != nil {
		return err
	}
	old, err := p.app(p.desk)
	if err != nil {
		return err
	}
	enrolment, err := p.begins(p.desk, "New "+p.device(), old)
	if err != nil {
		return err
	}
	return p.confirms(p.desk, enrolment)
}

// adds has a second device beside the phone, and goes on using the phone.
func (p *person) adds(device string) error {
	if err := p.signsIn(p.desk); err != nil {
		return err
	}
	phone := p.phone
	enrolment, err := p.begins(p.desk, device, "")
	if err != nil {
		return err
	}
	err = p.confirms(p.desk, enrolment)
	p.phone = phone
	return err
}

// renews makes new backup codes and saves them.
func (p *person) renews() error {
	if err := p.signsIn(p.desk); err != nil {
		return err
	}
	made, err := p.desk.do(http.MethodPost, security+"/backup-codes", map[string]string{"password": Password}, http.StatusOK)
	if err != nil {
		return err
	}
	p.codes = made.BackupCodes
	_, err = p.desk.do(http.MethodPost, security+"/backup-codes/activate", nil, http.StatusOK)
	return err
}

// turnsOff turns 2-step verification off.
func (p *person) turnsOff() error {
	if err := p.signsIn(p.desk); err != nil {
		return err
	}
	_, err := p.desk.do(http.MethodPost, security+"/disable", map[string]string{"password": Password}, http.StatusOK)
	return err
}

// isReset lets an administrator reset the person, who came by in person.
func (p *person) isReset(by *person) error {
	if err := by.signsIn(by.desk); err != nil {
		return err
	}
	p.story.clock.nextStep()
	body := map[string]string{"password": Password, "code": by.shows(), "reason": "Lost the phone and the backup codes; came by in person"}
	done, err := by.desk.send(http.MethodPost, "/api/v1/users/"+p.id+"/security/reset", body, http.StatusOK)
	if err != nil {
		return err
	}
	p.link = done.Link
	return nil
}

// showed is what the person's phone showed so long ago.
func (p *person) showed(ago time.Duration) string {
	return totp.Code(p.phone, totp.Step(p.story.clock.Now().Add(-ago)))
}
