package sandbox

import (
	"fmt"
	"log/slog"
)

// passwordlessOutputs is the member passwordless of the section auth.
type passwordlessOutputs struct {
	EmailOTP bool      `json:"email_otp_enabled"`
	SMSOTP   bool      `json:"sms_otp_enabled"`
	WebAuthn *struct{} `json:"web_authn"`
}

// checkServed refuses outputs whose users could not sign in here as they do on AWS: a user
// pool that demands a second factor would let them in without it, and nobody would notice.
func (a *authOutputs) checkServed() error {
	switch a.MFAConfiguration {
	case "", "NONE", "OFF", "OPTIONAL":
		return nil
	}
	return fmt.Errorf("sandbox: the outputs ask for multi-factor authentication "+
		"(auth.mfa_configuration is %q), which the sandbox lacks: "+
		"change it to NONE or OPTIONAL for development", a.MFAConfiguration)
}

// warn logs what the outputs ask for and the sandbox lacks, where sign-in works without it.
func (a *authOutputs) warn(log *slog.Logger) {
	if a.MFAConfiguration == "OPTIONAL" {
		log.Warn("the sandbox has no second factor: all users sign in without one",
			"auth.mfa_configuration", a.MFAConfiguration)
	}
	var missing []string
	if p := a.Passwordless; p != nil {
		if p.EmailOTP {
			missing = append(missing, "EMAIL_OTP")
		}
		if p.SMSOTP {
			missing = append(missing, "SMS_OTP")
		}
		if p.WebAuthn != nil {
			missing = append(missing, "WEB_AUTHN")
		}
	}
	if missing != nil {
		log.Warn("the sandbox has no sign-in without a password: users sign in by password alone",
			"missing", missing)
	}
	if a.OAuth != nil && a.OAuth.ResponseType == "token" {
		log.Warn("the sandbox has no implicit grant: managed login answers with a code",
			"auth.oauth.response_type", a.OAuth.ResponseType)
	}
}
