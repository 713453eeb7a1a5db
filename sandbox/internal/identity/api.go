package identity

import (
	"context"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
)

// API returns the pool's API in JSON 1.1. It has the service's operations that
// applications call. Pools are created and changed by configuration alone.
func (p *Pool) API() awsjson.Service {
	return awsjson.Service{Target: "AWSCognitoIdentityService", Operations: map[string]awsjson.Operation{
		"GetId":                     awsjson.Op(p.getID),
		"GetCredentialsForIdentity": awsjson.Op(p.getCredentialsForIdentity),
		"GetOpenIdToken":            awsjson.Op(p.getOpenIDToken),
		"UnlinkIdentity":            awsjson.Op(p.unlinkIdentity),
		"DescribeIdentity":          awsjson.Signed(p.describeIdentity),
		"ListIdentities":            awsjson.Signed(p.listIdentities),
		"DeleteIdentities":          awsjson.Signed(p.deleteIdentities),
		"DescribeIdentityPool":      awsjson.Signed(p.describeIdentityPool),
		"GetIdentityPoolRoles":      awsjson.Signed(p.getIdentityPoolRoles),
	}}
}

// Exception returns the error's name in AWS, and its message.
func (e *Error) Exception() (name, message string) { return e.Code, e.Message }

type getIDInput struct {
	IdentityPoolID *string `json:"IdentityPoolId"`
	Logins         map[string]string
}

type getIDOutput struct {
	IdentityID string `json:"IdentityId"`
}

func (p *Pool) getID(ctx context.Context, in getIDInput) (any, error) {
	if err := p.checkID(in.IdentityPoolID); err != nil {
		return nil, err
	}
	id, err := p.Identify(ctx, in.Logins)
	if err != nil {
		return nil, err
	}
	return getIDOutput{id}, nil
}

type getCredentialsForIdentityInput struct {
	IdentityID    *string `json:"IdentityId"`
	CustomRoleARN string  `json:"CustomRoleArn"`
	Logins        map[string]string
}

type getCredentialsForIdentityOutput struct {
	IdentityID  string `json:"IdentityId"`
	Credentials struct {
		AccessKeyID  string `json:"AccessKeyId"`
		SecretKey    string
		SessionToken string
		Expiration   seconds
	}
}

func (p *Pool) getCredentialsForIdentity(ctx context.Context, in getCredentialsForIdentityInput) (any, error) {
	if err := check("identityId", in.IdentityID, identityID, 55); err != nil {
		return nil, err
	}
	c, err := p.Credentials(ctx, *in.IdentityID, in.Logins, in.CustomRoleARN)
	if err != nil {
		return nil, err
	}
	out := getCredentialsForIdentityOutput{IdentityID: c.IdentityID}
	out.Credentials.AccessKeyID, out.Credentials.SecretKey, out.Credentials.SessionToken = c.AccessKeyID, c.SecretKey, c.SessionToken
	out.Credentials.Expiration = inSeconds(c.Expires)
	return out, nil
}

// getOpenIDToken begins the classic flow, in which the application itself
// assumes a role. Amplify's pools do not allow it (AllowClassicFlow is off).
func (p *Pool) getOpenIDToken(context.Context, struct{}) (any, error) {
	return nil, refuse(InvalidParameter, "Basic (classic) flow is not enabled, please use enhanced flow.")
}

type describeIdentityInput struct {
	IdentityID *string `json:"IdentityId"`
}

// description is IdentityDescription.
type description struct {
	IdentityID       string `json:"IdentityId"`
	Logins           []string
	CreationDate     seconds
	LastModifiedDate seconds
}

func (p *Pool) describeIdentity(ctx context.Context, in describeIdentityInput) (any, error) {
	if err := check("identityId", in.IdentityID, identityID, 55); err != nil {
		return nil, err
	}
	i, err := p.Identity(ctx, *in.IdentityID)
	if err != nil {
		return nil, err
	}
	return descriptionOf(i), nil
}

func descriptionOf(i *Identity) description {
	d := description{
		IdentityID: i.ID, Logins: []string{},
		CreationDate: inSeconds(i.Created), LastModifiedDate: inSeconds(i.Modified),
	}
	for _, l := range i.Logins {
		d.Logins = append(d.Logins, l.Provider)
	}
	return d
}

type unlinkIdentityInput struct {
	IdentityID     *string `json:"IdentityId"`
	Logins         map[string]string
	LoginsToRemove []string
}

func (p *Pool) unlinkIdentity(ctx context.Context, in unlinkIdentityInput) (any, error) {
	if err := check("identityId", in.IdentityID, identityID, 55); err != nil {
		return nil, err
	}
	return struct{}{}, p.Unlink(ctx, *in.IdentityID, in.Logins, in.LoginsToRemove)
}

// seconds is a time in JSON 1.1: Unix seconds.
type seconds float64

func inSeconds(t time.Time) seconds { return seconds(float64(t.UnixMilli()) / 1000) }

// detected begins the message about a parameter that does not satisfy a constraint.
const detected = "1 validation error detected: Value "

// check applies the constraints of a required parameter, with AWS's messages.
func check(name string, value *string, pattern *regexp.Regexp, maxLength int) error {
	switch {
	case value == nil:
		return refuse(Validation, detected+"null at '%s' failed to satisfy constraint: Member must not be null", name)
	case utf8.RuneCountInString(*value) > maxLength:
		return refuse(Validation, detected+"'%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d",
			awsjson.Clip(*value), name, maxLength)
	case *value == "":
		return refuse(Validation, detected+"'' at '%s' failed to satisfy constraint: Member must have length greater than or equal to 1", name)
	case !pattern.MatchString(*value):
		text := pattern.String()
		return refuse(Validation, detected+"'%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s",
			*value, name, text[1:len(text)-1])
	}
	return nil
}
