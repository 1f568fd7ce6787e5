"""The fictional account the tests connect."""

APP_ID = "wx" + "0123456789abcdef"
TOKEN = "AAAAA"
SECRET = "an-app-secret"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
OLD_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
