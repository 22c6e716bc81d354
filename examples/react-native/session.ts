/** The session of the app. A phone has no `online` event for it: coming to the front is when it tries again. */
import { createSession } from "baanx-session";
import * as SecureStore from "expo-secure-store";
import { AppState } from "react-native";
import { secureStore } from "./secure-store.ts";

// Not in a backup, and so not on another phone.
const options = { keychainAccessible: SecureStore.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY };

export const session = createSession({
  baseUrl: "https://dev.api.baanx.com",
  clientKey: "your-client-key",
  store: secureStore({
    getItemAsync: (key) => SecureStore.getItemAsync(key, options),
    setItemAsync: (key, value) => SecureStore.setItemAsync(key, value, options),
    deleteItemAsync: (key) => SecureStore.deleteItemAsync(key, options),
  }),
});

void session.ready();

AppState.addEventListener("change", (state) => {
  if (state === "active") void session.flush();
});
