package idp

import (
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/awsjson"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Flows of InitiateAuth and AdminInitiateAuth (API Reference, AuthFlow).
const (
	adminNoSRPAuth    = "ADMIN_NO_SRP_AUTH" // an earlier name of the next
	adminPasswordAuth = "ADMIN_USER_PASSWORD_AUTH"
	customAuth        = "CUSTOM_AUTH"
	passwordAuth      = "USER_PASSWORD_AUTH"
	refreshToken      = "REFRESH_TOKEN" // an earlier name of the next
	refreshTokenAuth  = "REFRESH_TOKEN_AUTH"
	srpAuth           = "USER_SRP_AUTH"
	userAuth          = "USER_AUTH"
)

// checkFlow refuses a flow that the client does not allow. The API Reference names the
// exception alone. The messages are those that applications report from Cognito.
func checkFlow(client *userpool.Client, flow string) error {
	allowed, message := "", flow+" flow not enabled for this client"
	switch flow {
	case adminPasswordAuth, adminNoSRPAuth:
		allowed, message = userpool.AllowAdminPassword, "Auth flow not enabled for this client"
	case customAuth:
		allowed, message = userpool.AllowCustom, flow+" is not enabled for the client."
	case passwordAuth:
		allowed = userpool.AllowPassword
	case refreshTokenAuth, refreshToken:
		allowed = userpool.AllowRefresh
	case srpAuth:
		allowed, message = userpool.AllowSRP, flow+" is not enabled for the client."
	case userAuth:
		allowed = userpool.AllowUser
	default:
		known := []string{srpAuth, refreshTokenAuth, refreshToken, customAuth,
			adminNoSRPAuth, passwordAuth, adminPasswordAuth, userAuth}
		message = "1 validation error detected: Value '" + awsjson.Clip(flow) +
			"' at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set: [" +
			strings.Join(known, ", ") + "]"
	}
	if allowed == "" || !client.Allows(allowed) {
		return refuse(userpool.InvalidParameter, message)
	}
	return nil
}

// unsupportedFlow refuses a flow that another operation has.
func unsupportedFlow() error {
	return refuse(userpool.InvalidParameter, "Initiate Auth method not supported.")
}
