package idp

import (
	"maps"
	"slices"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// API returns the user pools API. It has three kinds of operations. Anyone who knows a client
// id can sign up and in. Signed-in users have an access token. Administrators sign their calls.
func (h *Handler) API() awsjson.Service {
	operations := map[string]awsjson.Operation{
		"SignUp":                    awsjson.Op(h.signUp),
		"ConfirmSignUp":             awsjson.Op(h.confirmSignUp),
		"ResendConfirmationCode":    awsjson.Op(h.resendConfirmationCode),
		"ForgotPassword":            awsjson.Op(h.forgotPassword),
		"ConfirmForgotPassword":     awsjson.Op(h.confirmForgotPassword),
		"InitiateAuth":              awsjson.Op(h.initiateAuth),
		"RespondToAuthChallenge":    awsjson.Op(h.respondToAuthChallenge),
		"GetTokensFromRefreshToken": awsjson.Op(h.getTokensFromRefreshToken),
		"RevokeToken":               awsjson.Op(h.revokeToken),
	}
	maps.Copy(operations, h.self())
	maps.Copy(operations, h.admin())
	maps.Copy(operations, h.settings())
	return awsjson.Service{Target: "AWSCognitoIdentityProviderService", Operations: operations}
}

// empty is the answer of operations without results.
type empty struct{}

// attribute is AttributeType.
type attribute struct{ Name, Value string }

func attributeMap(list []attribute) map[string]string {
	m := map[string]string{}
	for _, a := range list {
		m[a.Name] = a.Value
	}
	return m
}

// attributesOf lists the attributes of a user by name, sub among them.
func attributesOf(u *userpool.User) []attribute {
	m := maps.Clone(u.Attributes)
	m["sub"] = u.Sub
	list := []attribute{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, attribute{name, m[name]})
	}
	return list
}

// delivery is CodeDeliveryDetailsType.
type delivery struct{ AttributeName, DeliveryMedium, Destination string }

func deliveryOf(d *userpool.Delivery) *delivery {
	if d == nil {
		return nil
	}
	return &delivery{d.Attribute, d.Medium, d.Destination}
}

// seconds returns a time as JSON 1.1 encodes it: Unix seconds with a fraction.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func refuse(code, message string) error { return &userpool.Error{Code: code, Message: message} }

// checkHash refuses a call of a client with a secret if its SECRET_HASH is not correct.
func (h *Handler) checkHash(clientID, username, hash string) error {
	c, err := h.pool.Client(clientID)
	switch {
	case err != nil:
		return err
	case c.Secret != "" && hash == "":
		return refuse(userpool.NotAuthorized, "Client "+c.ID+" is configured with secret but SECRET_HASH was not received")
	case !c.CheckSecretHash(username, hash):
		return refuse(userpool.NotAuthorized, "Unable to verify secret hash for client "+c.ID)
	}
	return nil
}

// checkSecret refuses a call of a client with a secret if the secret is not correct.
func (h *Handler) checkSecret(clientID, secret, code string) error {
	c, err := h.pool.Client(clientID)
	if err != nil {
		return err
	}
	if c.Secret != "" && !c.CheckSecret(secret) {
		return refuse(code, "Unable to verify the client secret of client "+c.ID)
	}
	return nil
}
