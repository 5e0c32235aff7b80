import { render } from "preact";
import { App } from "./app";
import { followTheme } from "./state/theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/stage.css";
import "./styles/composer.css";
import "./styles/result.css";
import "./styles/sheet.css";
import "./styles/past.css";

followTheme();
render(<App />, document.getElementById("app")!);
