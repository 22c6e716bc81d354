/** The session of the app. A phone lacks the `online` event: the app retries when it comes to the front. */
import { createSession } from "baanx-session";
import * as SecureStore from "expo-secure-store";
import { AppState } from "react-native";
import { secureStore } from "./secure-store.ts";

// In no backup, and so on no other phone.
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
