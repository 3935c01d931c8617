package mfa_test

import (
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// A second tab that reloads the codes makes a newer set. The first tab must not put that one in force: nobody saved it
// there.
func TestSavedNamesTheSetThatWasShown(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Bo Lindqvist", "bo@example.test", "member")
		browser := in.Browser(servertest.Firefox)
		browser.Password("bo@example.test").Want(200)
		begun := browser.Do("POST", servertest.Enrolments, nil).Want(201)
		phone := in.Scan(begun.Text("secret"))
		path := servertest.Enrolments + "/" + begun.Text("id")
		first := browser.Confirm(begun.Text("id"), phone.Code()).Want(200).Text("backup_code_set")
		second := browser.Do("POST", path+"/backup-codes", nil).Want(200)
		if second.Text("backup_code_set") == first {
			t.Fatal("the newer set has the older one's name")
		}

		browser.Do("POST", path+"/activate", map[string]string{"backup_code_set": first}).Refused(409, "codes_replaced")
		if state := browser.Do("GET", servertest.Security, nil).Body["mfa"].(map[string]any)["state"]; state != "enrolling" {
			t.Fatalf("it is %v", state)
		}
		browser.Do("POST", path+"/activate", map[string]string{"backup_code_set": second.Text("backup_code_set")}).Want(200)
		in.Clock.NextStep()

		// Codes renewed on their own are held to the same.
		browser.Prove(phone.Code()).Want(200)
		password := map[string]string{"password": servertest.Password}
		older := browser.Do("POST", servertest.Security+"/backup-codes", password).Want(200).Text("backup_code_set")
		newer := browser.Do("POST", servertest.Security+"/backup-codes", password).Want(200).Text("backup_code_set")
		browser.Do("POST", servertest.Security+"/backup-codes/activate", map[string]string{"backup_code_set": older}).Refused(409, "codes_replaced")
		browser.Do("POST", servertest.Security+"/backup-codes/activate", map[string]string{"backup_code_set": newer}).Want(200)
	})
}
