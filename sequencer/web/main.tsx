import { createRoot } from "react-dom/client";
import { App } from "./screens/App.tsx";
import { openVenue } from "./state/venue.ts";
import { applyTheme } from "./state/view.ts";
import "./style/theme.css";
import "./style/layout.css";
import "./style/parts.css";

applyTheme();
openVenue();
createRoot(document.getElementById("terminal")!).render(<App />);
